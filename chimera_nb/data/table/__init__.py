"""Records as the table of a page and as a file for a spreadsheet: one query, looked through as a stream."""
