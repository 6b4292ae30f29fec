"""Searching the world: which rows a search finds, and in which order."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from .random import rng_for

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from .search_queries import SearchQuery

_CACHED_SEARCHES = 64
"""Searches whose order is kept, so that walking one does not sort the world again for every
page.
"""


class SearchIndex:
    """Searches over texts: `texts` gives the text of every row, in its place, for each kind."""

    def __init__(self, seed: int, texts: Mapping[str, Callable[[], Sequence[str]]]) -> None:
        self._seed = seed
        self._texts = {kind: lru_cache(maxsize=1)(make) for kind, make in texts.items()}
        self._chosen = lru_cache(maxsize=_CACHED_SEARCHES)(self._find)
        self._ordered = lru_cache(maxsize=_CACHED_SEARCHES)(self._sort)

    def find(self, kind: str, wanted: SearchQuery, order: str) -> Sequence[int]:
        """The places of everything a search finds, those that fit best first.

        Which places are found depends on the search alone. `order` (a sequence id, or a viewer)
        decides how those that fit equally well follow one another. A search that wants more than
        there is finds places beyond the last; the world has a row for those too.
        """
        return self._ordered(kind, wanted, order)

    def _sort(self, kind: str, wanted: SearchQuery, order: str) -> Sequence[int]:
        found = list(self._chosen(kind, wanted))
        rng_for(self._seed, kind, wanted.key, order).shuffle(found)
        found.sort(key=lambda scored: -scored[0])
        return tuple(place for _, place in found)

    def _find(self, kind: str, wanted: SearchQuery) -> Sequence[tuple[int, int]]:
        texts = self._texts[kind]()
        places = list(range(len(texts)))
        rng_for(self._seed, kind, wanted.key).shuffle(places)
        scored = [(wanted.score(texts[place]), place) for place in places]
        scored.sort(key=lambda pair: -pair[0])
        return scored[: wanted.total] + [(-1, place) for place in range(len(texts), wanted.total)]
