"""Another catalogue, over HTTP."""

from .feed import HttpChangeFeed

__all__ = ["HttpChangeFeed"]
