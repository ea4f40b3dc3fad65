"""Lines -> parts -> shards, published as one.

parts.py         files that a bundle writes under temporary names
shards.py        a wanted number of shards, from parts as the workers happened to write them
publish.py       the end of a job: reconcile, rename, and say in the summary that the output is whole
shard_list.py    what was published, file by file: <target>/shards.ndjson
line_offsets.py  where each file's lines stand in the output, once its shards have their names
"""
