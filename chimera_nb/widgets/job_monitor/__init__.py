"""JobMonitor: watch a job, and open what came of it."""
