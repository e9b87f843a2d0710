"""What a good engineer writes in a day with the same libraries: the design that ours has to be ahead of.

One MongoDB transaction per request, an outbox that is polled every 100 ms and published one after the other, one
transaction per message, one SMTP connection per email. It keeps the same promises: state and event together, each
event at least once, each effect once, and the same durability.
"""
