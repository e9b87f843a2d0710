"""The alliance as it stood in January 2023, and the story of Rothenburg."""
