"""Reads of membership, straight from MongoDB: the alliance's figures, the directory, and what comes next for whom."""
