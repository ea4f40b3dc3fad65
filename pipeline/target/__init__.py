"""The target folder of a job.

layout.py     the names in it
claim.py      its one state, which changes by compare-and-swap only
lifecycle.py  what each who comes to it may do: take it, begin, publish, give it up
contents.py   what stands under its final names, and which of it is litter
results.py    what a job left in it, for whoever wants to read it
"""
