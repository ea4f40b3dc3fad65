"""Rows of a view -> parts, as lines are written to parts (`pipeline.write.parts`).

part_files.py  one part of rows: NDJSON, CSV or Parquet
row_parts.py   the parts of a bundle, in folders where that is asked for, and each file's place in them
workbook.py    all parts -> one workbook
"""
