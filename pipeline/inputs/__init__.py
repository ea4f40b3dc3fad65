"""What a job reads: inputs -> patterns -> files.

selection.py  inputs -> patterns -> files, and the checks that need the bucket
manifest.py   lists too long for a job's record or its graph, as objects at its target
path_list.py  lists of paths in a file, as people's programs write them
"""
