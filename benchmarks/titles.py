"""Titles as libraries have them: few words are everywhere, most are rare, and more books bring more words (Zipf)."""

from bisect import bisect_left
from collections.abc import Sequence
from functools import lru_cache
from itertools import accumulate
from random import Random

_EVERYWHERE = """
the of and a in to for with on from an by at is der die das und la le de los el les du im
"""
_FREQUENT = """
history life world love house new time book war guide story art little night man great american women first children
autumn bridge castle city darkness daughter door dream empire fire forest garden ghost glass harbour island journey
king letter light memory mirror moon mountain ocean orchard paper queen rain river road sea secret shadow silence
silver snow song stone storm summer tower train voyage water wind window winter introduction science theory practice
"""
_OTHER_SCRIPTS = """
война мир история любовь ночь город дом море время жизнь αγάπη πόλη θάλασσα ιστορία φως ζωή ספר עיר אהבה לילה
雪国 東京物語 紅楼夢 銀河鉄道 文学史 사랑 바다 도시
"""
_ACCENTED = """
château forêt été siècle écriture façade naïve cœur œuvre über märchen straße größe frühling señor niñez corazón
canción açúcar manhã coração søster være ångström flickan łódź żółty dąb příběh čas ősz könyv ağaç gökyüzü
"""
_STARTS = """
b br c d dr f g gr h j k l m n p pr r s st t tr v w z
"""
_SYLLABLES = [start + vowel for start in _STARTS.split() for vowel in "aeiou"]
_ENDINGS = ["", "n", "r", "s", "l", "m", "nd", "rt"]
_OFFSET, _EXPONENT = 2.7, 1.05
_LENGTHS = (1, 2, 3, 4, 5, 6, 7, 8, 10)
_LENGTH_WEIGHTS = (5, 14, 20, 21, 15, 11, 7, 5, 2)


def words_of(count: int) -> Sequence[str]:
    """Return the different words of that many titles, the most frequent first; a larger catalogue only adds to them."""
    known = [*_EVERYWHERE.split(), *_FREQUENT.split()]
    rare = [*_ACCENTED.split(), *_OTHER_SCRIPTS.split()]
    made = int(30 * count**0.6)  # Heaps' law
    words = [*known, *(_made(number) for number in range(made))]
    for place, word in enumerate(rare):
        words.insert(len(known) + 13 * place, word)
    return words


def _made(number: int) -> str:
    """Return a word that no other number has: steps that have no divisor in common with the whole meet each once."""
    base, ends = len(_SYLLABLES), len(_ENDINGS)
    rest = number * 1_000_003 % (base**3 * ends)
    rest, end = divmod(rest, ends)
    rest, third = divmod(rest, base)
    first, second = divmod(rest, base)
    return _SYLLABLES[first] + _SYLLABLES[second] + _SYLLABLES[third] + _ENDINGS[end]


class Titles:
    """Draws titles for a catalogue of that many books."""

    def __init__(self, count: int) -> None:
        self._words = words_of(count)
        self._weights = _weights(len(self._words))

    def draw(self, random: Random) -> str:
        """Return a title."""
        (length,) = random.choices(_LENGTHS, _LENGTH_WEIGHTS)
        drawn = [self._words[bisect_left(self._weights, random.random() * self._weights[-1])] for _ in range(length)]
        title = " ".join(drawn)
        if length > 5:
            title = ": ".join([" ".join(drawn[:3]), " ".join(drawn[3:])])
        return title[0].upper() + title[1:]


@lru_cache(maxsize=2)
def _weights(count: int) -> Sequence[float]:
    return list(accumulate((rank + _OFFSET) ** -_EXPONENT for rank in range(count)))
