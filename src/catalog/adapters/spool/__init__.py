"""Imports that were asked for, in a folder that all processes of a machine share."""

from .queue import FolderImportQueue

__all__ = ["FolderImportQueue"]
