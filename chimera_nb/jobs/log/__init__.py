"""The job log: every job that was ever asked for, and what came of it.

protocol.py    JobLog: what every job log can do, whatever keeps it
query.py       what one is asked for, checked alike for every log (ids.py)
watch.py       a thread that tells of what is new in one
entries.py     what stands in one: records, and documents that cannot be read as one
sqlite.py      the embedded job log: one file (sqlite_file.py)
firestore.py   the shared job log: one document a job (firestore_client.py, firestore_pages.py)
patience.py    a job's own process while the job log is away
"""
