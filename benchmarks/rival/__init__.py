"""What a good engineer writes in a day with the same libraries: the design that ours must beat.

One MongoDB transaction per request, an outbox polled every 100 ms and published event by event, one transaction per
message, one SMTP connection per email. It keeps the same promises: state and event together, each event at least once,
each effect once, and the same durability.
"""
