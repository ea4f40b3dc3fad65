"""Is an output still what its job wrote, of the files that it read? Anybody may ask, at any later time.

joined.py    the question: of one output, or of those that it adds to as well
whole.py     all of it of one output, in its order
findings.py  what was found, and the verdict
summary.py   summary.json and shards.ndjson, against themselves, each other and the job log
files.py     the published files against that list
records.py   the ledger's records, in a table on disk: as many as there are
coverage.py  each byte of the output is one file's
sources.py   the files that were read, against the store's listing of today
lines.py     each file's lines, decoded again, against those in the output
rows.py      the rows of a view in Parquet: read back, and made again of their files
output.py    the output as one run of bytes, of which each file's lines are a piece
one_file.py  one file's lines

Nothing here writes to a store, and nothing holds more than the list of shards in memory.
"""

from pipeline.proof.findings import Finding, Verdict
from pipeline.proof.joined import verify
from pipeline.proof.one_file import extract, find_record
from pipeline.proof.summary import Claimed

__all__ = ["Claimed", "Finding", "Verdict", "extract", "find_record", "verify"]
