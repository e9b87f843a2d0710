"""Queries of membership, straight from MongoDB: the alliance's figures, the directory, and next steps."""
