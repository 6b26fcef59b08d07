"""SQLite, embedded: one file, one writer at a time, no server."""
