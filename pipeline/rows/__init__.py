"""Rows as bytes, and back: no Beam.

checksum.py    the CRC-32C of rows, whatever batches they came in
text.py        rows -> lines of NDJSON or CSV, and back
partitions.py  rows -> folders by the values of some columns
schema.py      a schema as JSON, for people and for programs
parquet_file.py  a Parquet file of a store, read by rows
"""
