"""The words that rules are written in: pure Python that imports nothing of ours."""
