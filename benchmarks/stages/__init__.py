"""One module per stage, each with its floor, our code and the rival."""
