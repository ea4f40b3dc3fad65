"""Data to try things on: a few hundred made-up markets, some of them broken.

bucket.py  the demo's bucket on a local stack
files.py   a folder of such files
market.py  one market as a stream file (event.py: the sporting event it is of)
"""
