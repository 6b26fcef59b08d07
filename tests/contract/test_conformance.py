"""Our storages keep what every storage promises: the suite that anybody can run over theirs."""

from catalog.testing.suite import *  # noqa: F403
