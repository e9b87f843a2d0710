"""What is true in membership: municipalities with their milestones, and the agreements that make them members."""
