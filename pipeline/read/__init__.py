"""A file -> its lines, held until it proved good.

lines.py        byte stream -> blocks of whole lines
text_format.py  what a file of text is where it is not one JSON object a line
held_lines.py   a file's lines, held back until the file has proved good
view_rows.py    a file's raw bytes -> the rows of a view
carried_rows.py the same by another process
row_makers.py   which processes there are for that
held_rows.py    a file's rows, held back as lines are
file.py         one file: its lines and its record for the ledger
pool.py         many files at once, in threads
"""
