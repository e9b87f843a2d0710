"""The referee: breaks the system in every way it can, and judges by itself whether the promises held.

It imports nothing of services/ or shared/: what it expects it has from docs/promises.md, and what it sees from bare
drivers. docs/promises.md shows what it found; `make chaos` finds it anew.
"""
