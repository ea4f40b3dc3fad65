"""A uniform sample of the records of many files, the same for the same seed.

sample.py  the first records of one file, or a uniform sample of many, as DataFrames
files.py   which files are read: all of them, or above a bound of bytes a part of them
lines.py   a number for each line, by seed, file and position; the lines with the lowest numbers are the sample
run.py     one drawing: what is known of it while it runs, and what stops it
beam.py    the same as a Beam pipeline on InteractiveRunner
cache.py   drawings that were made before, in memory and on disk
"""
