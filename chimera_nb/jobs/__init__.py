"""Jobs: the record each one has, the log that keeps them, and what launches and follows them."""
