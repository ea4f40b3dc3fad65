"""What Beam sees: these modules wire and count, the others compute.

build.py         JobSpec -> pipeline
read_stages.py   CreatePatterns to ReadAndDecompress
write_stages.py  WriteOutput
counters.py      Beam's counters of a job
"""
