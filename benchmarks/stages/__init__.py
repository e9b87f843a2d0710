"""One module per stage, with its floor, ours and the rival."""
