"""Dashboard: all of the widgets on one page, and its header."""
