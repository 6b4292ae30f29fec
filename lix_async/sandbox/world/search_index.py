"""Searches in the world: what they find, and in which order."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from types import MappingProxyType

from .random import number, rng_for
from .search_filters import SearchFilter
from .search_queries import SearchQuery

_CACHED_SEARCHES = 64
"""The number of searches whose results are cached: otherwise each page would sort the world."""
_BLOCK = 4096
"""Indexes for the records that are made to pass the filters of one search: more than a listing can
fetch."""
_FIRST_BLOCK = 1 << 10
_BLOCKS = 1 << 17


def _passes_none(kind: str, index: int, filters: Sequence[SearchFilter]) -> bool:
    return not filters


class SearchIndex:
    """Searches in texts.

    Args:
        seed: The seed of the world.
        texts: Returns the texts of all records of a kind, by index.
        passes: Whether the record of a kind at an index passes filters.
        fitted: For each kind of which a record can be made to pass filters, the filters by block
            of indexes. The searches of an earlier day keep theirs.
    """

    def __init__(
        self,
        seed: int,
        texts: Mapping[str, Callable[[], Sequence[str]]],
        passes: Callable[[str, int, Sequence[SearchFilter]], bool] = _passes_none,
        fitted: Mapping[str, dict[int, tuple[SearchFilter, ...]]] = MappingProxyType({}),
    ) -> None:
        self._seed = seed
        self._texts = {kind: lru_cache(maxsize=1)(make) for kind, make in texts.items()}
        self._passes = passes
        self._fitted = fitted
        self._chosen = lru_cache(maxsize=_CACHED_SEARCHES)(self._find)
        self._ordered = lru_cache(maxsize=_CACHED_SEARCHES)(self._sort)

    def find(self, kind: str, query: SearchQuery, order: str) -> Sequence[int]:
        """The indexes of all results of a search, the best matches first.

        The results depend on the search only. `order` (a sequence id, or a viewer) decides the
        order of equal matches. A search with more results than records finds indexes beyond the
        last record; the world makes records for those too, which pass the filters.
        """
        return self._ordered(kind, query, order)

    def filters_at(self, kind: str, index: int) -> tuple[SearchFilter, ...]:
        """The filters that a record beyond the last one is made to pass; empty for others."""
        return self._fitted.get(kind, {}).get(index // _BLOCK, ())

    def _sort(self, kind: str, query: SearchQuery, order: str) -> Sequence[int]:
        found = list(self._chosen(kind, query))
        rng_for(self._seed, kind, query.key, order).shuffle(found)
        found.sort(key=lambda scored: -scored[0])
        return tuple(index for _, index in found)

    def _find(self, kind: str, query: SearchQuery) -> Sequence[tuple[int, int]]:
        texts = self._texts[kind]()
        indexes = [
            index
            for index in range(len(texts))
            if not query.filters or self._passes(kind, index, query.filters)
        ]
        rng_for(self._seed, kind, query.key).shuffle(indexes)
        scored = [(query.score(texts[index]), index) for index in indexes]
        scored.sort(key=lambda pair: -pair[0])
        missing = max(query.total - len(scored), 0)
        first = len(texts)
        if query.filters:
            first = self._block(kind, query.filters) * _BLOCK
            missing = min(missing, _BLOCK) if first else 0
        return scored[: query.total] + [(-1, first + n) for n in range(missing)]

    def _block(self, kind: str, filters: tuple[SearchFilter, ...]) -> int:
        """The block of the records that are made to pass these filters; 0 where none can be."""
        possible = all(set(one.values) - set(one.excluded) for one in filters if one.values)
        if kind not in self._fitted or not possible or any(one.excluded for one in filters):
            return 0
        block = _FIRST_BLOCK + number(self._seed, "fitted", kind, filters) % _BLOCKS
        self._fitted[kind][block] = filters
        return block
