"""Events on their way out: rows written with the state, relayed into the stream of their service."""
