"""`python -m operations.cli` is `asskomm`."""

from operations.cli import main

main()
