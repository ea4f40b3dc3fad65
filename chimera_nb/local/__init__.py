"""The local stand-ins: what a job needs of Google Cloud, on this machine and with its data in one folder.

Importing this package imports nothing; `stack` starts, stops and finds the whole of it.
"""
