"""How the system is set up and run, in one process or in several."""
