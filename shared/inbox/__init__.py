"""Events on their way in: read in order, each has its effect once, and parked where that fails."""
