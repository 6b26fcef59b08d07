"""One package or module for each record format, behind the reader port."""
