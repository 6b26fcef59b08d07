"""What the catalogue is held against; each program runs by itself, and imports nothing of the catalogue."""
