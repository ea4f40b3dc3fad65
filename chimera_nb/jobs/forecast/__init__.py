"""What a job will come to, said before it runs and held against what it came to.

machine.py   what a job runs on
model.py     work on a machine -> seconds by stage, worker-hours, operations, money
budget.py    a bound on that
actual.py    what it came to; the forecast's error, and what this machine's jobs teach the next forecast
"""
