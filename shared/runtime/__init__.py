"""A service at work, put together from the other rooms."""
