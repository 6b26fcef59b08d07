"""`python -m catalog`."""

from .entrypoints.cli import main

main()
