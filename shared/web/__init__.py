"""The frame of every HTTP API."""
