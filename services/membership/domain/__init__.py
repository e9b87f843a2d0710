"""The rules of membership: municipalities with their milestones, and the agreements that make them members."""
