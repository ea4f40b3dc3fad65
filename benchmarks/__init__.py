"""Ratios against peers, side by side in one run: `make bench`, or python -m benchmarks.

A benchmark is a module with `rows(context) -> list[Row]`, named in benchmarks.__main__.BENCHMARKS.
"""
