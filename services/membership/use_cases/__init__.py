"""Use cases of membership: one function per command or reaction."""
