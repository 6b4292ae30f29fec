"""A listing in memory, served in pages, correctly or with the faults of a test."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from urllib.parse import parse_qs, urlsplit

from sample_provider import reply

from lix_async.core.pagination import number_in_url
from lix_async.core.wire import HttpRequest, HttpResponse

Total = int | str | None | Callable[[int], object]


def things(count: int, first: int = 0) -> list[dict[str, object]]:
    return [{"id": f"t{number}"} for number in range(first, first + count)]


class Vendor:
    """Answers `LIST` and `SEARCH`. `sizes`: items of each page, the last one for all others.

    `total` is the total that it sends: a value, None for none, or a function of the page number.
    `alter` may change the items of a page: (number of the request, items) → items.
    """

    def __init__(
        self,
        rows: Sequence[dict[str, object]],
        *sizes: int,
        total: Total = None,
        sequence: Callable[[int], str | None] = lambda _: None,
        alter: Callable[[int, list], list] = lambda _, rows: rows,
    ) -> None:
        self.rows = list(rows)
        self.sizes = sizes or (10,)
        self.total = total
        self.sequence = sequence
        self.alter = alter
        self.asked: list[dict[str, str]] = []

    def __call__(self, outgoing: HttpRequest) -> HttpResponse:
        query = {k: v[0] for k, v in parse_qs(urlsplit(outgoing.target).query).items()}
        self.asked.append(query)
        number = len(self.asked)
        rows = self.alter(number, self._rows(query))
        body: dict[str, object] = {"things": rows, "paging": {"count": len(rows)}}
        total = self.total(number) if callable(self.total) else self.total
        if total is not None:
            body["paging"] = {"count": len(rows), "total": total}
        if (sequence := self.sequence(number)) is not None:
            body["meta"] = {"sequenceId": sequence}
        return reply(200, body)

    def _rows(self, query: dict[str, str]) -> list[dict[str, object]]:
        if "url" in query:
            page = number_in_url(query["url"], "page", 1) - 1
            start = sum(self._size(n) for n in range(page))
            return self.rows[start : start + self._size(page)]
        start = seen = int(query["start"])
        page = 0
        while seen > 0:
            seen -= self._size(page)
            page += 1
        return self.rows[start : start + self._size(page)]

    def _size(self, page: int) -> int:
        return self.sizes[min(page, len(self.sizes) - 1)]

    @property
    def starts(self) -> list[int]:
        """The offsets of the requests, in order."""
        return [int(query["start"]) for query in self.asked]


def ids(items: Sequence[object]) -> list[object]:
    return [item.id for item in items]
