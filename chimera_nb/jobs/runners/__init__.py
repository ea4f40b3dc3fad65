"""Where a job runs, and how it is followed there.

protocol.py          Runner: what the service asks of every one of them
direct.py            in a process of its own on this machine (direct_worker.py, direct_outcome.py)
dataflow.py          on Dataflow, here or at Google (dataflow_submit.py, dataflow_client.py, dataflow_progress.py)
wheels.py            what a Dataflow worker is given
spawn.py             a job's own process, which outlives whoever starts it
"""
