"""How well the search answers what people type."""
