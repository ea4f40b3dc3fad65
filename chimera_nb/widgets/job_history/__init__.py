"""JobHistory: every job there was."""
