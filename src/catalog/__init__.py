"""A catalogue of books and authors as a service."""

from importlib.metadata import version

__version__ = version("catalog")
