"""What all services call the same: the words of the alliance, and how German is written."""
