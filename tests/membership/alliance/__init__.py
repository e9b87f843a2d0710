"""The alliance without servers: everybody does everything in any order, and the log gives a second opinion."""
