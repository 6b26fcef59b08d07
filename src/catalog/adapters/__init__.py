"""What the core needs from outside, each adapter with one library; they do not know each other."""
