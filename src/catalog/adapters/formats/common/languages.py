"""Languages, as the web writes them."""

from catalog.domain.languages import ALIASES
from catalog.domain.values import Language

# The shortest code of a language comes first in BCP 47; of those with three letters, never that of libraries.
_TAGS = {code: alias for alias, code in sorted(ALIASES.items(), key=lambda pair: -len(pair[0]))}


def tag_of(language: Language) -> str:
    """Return the tag of BCP 47: en, not eng; de, not ger."""
    return _TAGS.get(str(language), str(language))
