"""Catalogues: what is in the files of a folder or archive, kept and brought up to date, to choose files by content.

table.py     the table that a catalogue is, and its columns
reading.py   files -> their rows, by the ends of the files where these tell
units.py     which files are read together, and by how many processes
kept.py      catalogues in the user's data folder
make.py      bring the catalogue of a folder up to date
choice.py    which rows are chosen by which filters, and how many there are of each value
ids.py       a CSV of ids
catalogue.py `ch.catalogue`
"""
