"""This machine: its processes, its users, and what of it may be trusted.

memory.py      how much of its memory may still be taken
kernel.py      whether a notebook looks at it
host_id.py     which host this is
process_id.py  one process, now and for good
peers.py       whose process is at the other end of a connection
sock_diag.py   the same, as Linux tells it of one connection
private.py     folders that are their owner's only
trust.py       whether a file that was found may steer what this process does
"""
