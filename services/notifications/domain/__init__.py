"""Rules of notifications: offices, members, emails, and the delivery of each email."""
