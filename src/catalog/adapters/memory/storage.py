"""The store: snapshots that nobody keeps anywhere else."""

from catalog.domain.snapshots import SnapshotStorage


class MemoryStorage(SnapshotStorage):
    """Everything in one process, gone when it ends."""
