"""The events of membership: how a municipality comes into the alliance, stays and leaves.

The aggregate of an event is its `ags` if it has one, else its `agreement_id`, `analysis_id` or `template`.
"""
