"""What a caller can ask for; each method is one unit of work."""
