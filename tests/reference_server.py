"""A listing that lives in memory and is served in pages, well or badly, as a test likes."""

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
    """Answers `client.LIST` and `client.SEARCH`. `sizes`: rows of each page, the last one for ever.

    `total` is what it claims: a value, None for nothing, or a function of the page's number.
    `spoil` may change the rows of a page: (number of the request, rows) → rows.
    """

    def __init__(
        self,
        rows: Sequence[dict[str, object]],
        *sizes: int,
        total: Total = None,
        sequence: Callable[[int], str | None] = lambda _: None,
        spoil: Callable[[int, list], list] = lambda _, rows: rows,
    ) -> None:
        self.rows = list(rows)
        self.sizes = sizes or (10,)
        self.total = total
        self.sequence = sequence
        self.spoil = spoil
        self.asked: list[dict[str, str]] = []

    def __call__(self, outgoing: HttpRequest) -> HttpResponse:
        query = {k: v[0] for k, v in parse_qs(urlsplit(outgoing.target).query).items()}
        self.asked.append(query)
        number = len(self.asked)
        rows = self.spoil(number, self._rows(query))
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
        """The offsets asked for, in order."""
        return [int(query["start"]) for query in self.asked]


def ids(items: Sequence[object]) -> list[object]:
    return [item.id for item in items]
