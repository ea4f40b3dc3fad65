"""The table that the result of a job and the preview of a file share, and the files that are saved of it."""
