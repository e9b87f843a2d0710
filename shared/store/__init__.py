"""MongoDB: aggregates and their events, written together."""
