"""What runs beside the analyst: browse, sample, launch and watch, from Jupyter, a dashboard or the command line.

Importing this package imports neither Beam nor pandas; both load on first need.
"""
