"""The vocabulary that all services share: the words of the alliance, and German spelling."""
