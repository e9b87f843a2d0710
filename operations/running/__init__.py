"""Setting up and running the system, in one process or in several."""
