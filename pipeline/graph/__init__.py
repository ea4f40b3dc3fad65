"""What Beam sees: these modules wire and count, the others compute.

build.py         JobSpec -> pipeline
list_stages.py   CreatePatterns and ListFiles
read_stages.py   ReadAndDecompress
write_stages.py  WriteOutput
counters.py      Beam's counters of a job
"""
