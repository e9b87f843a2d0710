"""NATS: the connection, the streams and durables, and publishing into them."""
