"""JobForm: say what a job is, see what it comes to, launch it."""
