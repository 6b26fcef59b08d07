"""PostgreSQL: one server, or the hosts of a cluster of which one takes writes."""
