"""The services of the alliance: each with its own database, talking only through events."""
