"""What every storage promises, as tests that run over yours: the conformance kit.

    pip install 'catalog[testing]'
    pytest --pyargs catalog.testing.suite -p catalog.testing.plugin --catalog-storage 'mine:///{folder}/catalog'

`plugin` has the options and fixtures, `suite` the tests, `storages` makes new empty storages, `doubles` and
`strategies` are what the tests are made of.
"""

import pytest

# Before they are imported, or their assertions would fail without a word.
pytest.register_assert_rewrite("catalog.testing.suite", "catalog.testing.doubles", "catalog.testing.wholeness")
