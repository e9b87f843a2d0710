"""The real servers as child processes, for demos, tests and trying things out."""
