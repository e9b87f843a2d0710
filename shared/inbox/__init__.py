"""Incoming events: read in order, applied once, and parked on failure."""
