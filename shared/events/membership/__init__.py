"""What the membership service makes known: how a municipality comes into the alliance, stays and leaves.

The aggregate of an event is its `ags` where it has one, else its `agreement_id`, `analysis_id` or `template`.
"""
