"""A service that spends money from purses: a guarded quantity is never overdrawn.

It shows how the mechanisms of shared/ guard what spans two aggregates, and is the model for a service that does so in
earnest. It is set up for tests alone.
"""
