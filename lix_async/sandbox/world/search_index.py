"""Searches in the world: what they find, and in which order."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache

from .random import rng_for
from .search_queries import SearchQuery

_CACHED_SEARCHES = 64
"""The number of searches whose results are cached: otherwise each page would sort the world."""


class SearchIndex:
    """Searches in texts: `texts` returns the texts of all records of a kind, by index."""

    def __init__(self, seed: int, texts: Mapping[str, Callable[[], Sequence[str]]]) -> None:
        self._seed = seed
        self._texts = {kind: lru_cache(maxsize=1)(make) for kind, make in texts.items()}
        self._chosen = lru_cache(maxsize=_CACHED_SEARCHES)(self._find)
        self._ordered = lru_cache(maxsize=_CACHED_SEARCHES)(self._sort)

    def find(self, kind: str, query: SearchQuery, order: str) -> Sequence[int]:
        """The indexes of all results of a search, the best matches first.

        The results depend on the search only. `order` (a sequence id, or a viewer) decides the
        order of equal matches. A search with more results than records finds indexes beyond the
        last record; the world makes records for those too.
        """
        return self._ordered(kind, query, order)

    def _sort(self, kind: str, query: SearchQuery, order: str) -> Sequence[int]:
        found = list(self._chosen(kind, query))
        rng_for(self._seed, kind, query.key, order).shuffle(found)
        found.sort(key=lambda scored: -scored[0])
        return tuple(index for _, index in found)

    def _find(self, kind: str, query: SearchQuery) -> Sequence[tuple[int, int]]:
        texts = self._texts[kind]()
        indexes = list(range(len(texts)))
        rng_for(self._seed, kind, query.key).shuffle(indexes)
        scored = [(query.score(texts[index]), index) for index in indexes]
        scored.sort(key=lambda pair: -pair[0])
        return scored[: query.total] + [(-1, index) for index in range(len(texts), query.total)]
