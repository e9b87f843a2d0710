"""Membership: how a municipality comes into the alliance."""
