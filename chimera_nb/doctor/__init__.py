"""What is installed, found and reachable, each with what to do where it is not in order: `chimera doctor`.

finding.py      what a check gives
installed.py    Python and the packages
host.py         settings, data folder, disk, memory, proxies
stack.py        the local stack and its services
credentials.py  which credentials Google's libraries find, and whether they work
buckets.py      what may be done in the buckets, by testIamPermissions
services.py     Dataflow, and the job log with its indexes
examine.py      all of them side by side, within a time
"""
