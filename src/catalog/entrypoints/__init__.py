"""The ways into the catalogue. They know the core; only `container` knows the adapters."""
