"""The chaos rig and its referee: break the system in every way, and judge independently whether the promises held.

It imports nothing from services/ or shared/: its expectations come from docs/promises.md, its observations from bare
drivers. docs/promises.md shows the results; `make chaos` reproduces them.
"""
