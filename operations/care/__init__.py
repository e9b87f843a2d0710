"""Maintenance for operators: status, audit, replay and the live tail of events."""
