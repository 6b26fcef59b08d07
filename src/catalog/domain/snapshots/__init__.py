"""A catalogue that fits into memory: what `memory://` is, and what a storage can be built on that keeps it elsewhere.

Whoever overrides `SnapshotStorage.keep`, and opens it with `Snapshot.restored`, has a storage that lasts.
"""

from .snapshot import Commit, Snapshot
from .storage import SnapshotStorage

__all__ = ["Commit", "Snapshot", "SnapshotStorage"]
