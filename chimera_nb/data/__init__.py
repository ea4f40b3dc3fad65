"""Files and outputs as records and DataFrames. pandas loads on first need.

listing.py    folders, objects and sources, as they are listed
preview.py    a file's first records from one ranged request
records.py    lines -> records
joined.py     records that are not one a line -> one a line
nested.py     what is nested in a record, by its name, opened or taken apart
query.py      which records are wanted, and what of them: where, explode, columns
columns.py    values -> a column of the dtype that they call for
frames.py     records -> DataFrames
no_file.py    what a path is that was to be one file and is none
output.py     a finished job's output as DataFrames
read_ahead.py items taken ahead in a thread
json_tree.py  a record as a tree
market_plot.py a market of the view `prices` drawn
pictures.py   pictures of a view's rows, by the name that the view gives
job_tables.py jobs and ledgers as DataFrames
proof.py      prove what a job left, or take one file's lines out of it
matching_files.py  the files that a job would read
processes.py  work done by several processes
catalogue/    what is in files, to choose them by content
sampling/     a uniform sample of the records of many files
"""
