"""What runs on a worker: list, deduplicate, decompress and write sharded NDJSON.

Importing this package imports no Beam; `pipeline.graph.build` does, when a graph is wanted.
"""
