"""How the pages of a listing follow one another: pure functions of params and page.

A plan answers three questions. `after`: which params fetch the next page, or None at the end.
`base`: how many rows lie before the page that these params ask for. `origin`: the params without
position, which is what tells one walk from another.

Offsets advance by the number of rows that came, never by `paging.count` or `paging.start`, which
documentation and samples fill differently (lix.md#paging). A short page is no end. Pages may
overlap: a total is reached by different rows, a cap, which is a position, by all of them, and only
where the total is not below it.
"""

from __future__ import annotations

import re
from typing import Protocol, TypeVar

import msgspec
from msgspec.structs import replace

from .errors import ConfigurationError
from .models import Params

P = TypeVar("P", bound=Params)


class PageObservation(msgspec.Struct, frozen=True):
    """What a plan may know of the page just read: rows before it, rows on it, and its words."""

    offset: int
    received: int
    total: int | None = None
    cursor: str | int | None = None
    continues: bool | None = None
    """Whether there are more pages, where the provider says so; then no total is asked."""
    repeated: int = 0
    """Rows up to here that had come before in the same walk."""

    @property
    def end(self) -> int:
        """Rows that lie behind once this page is read."""
        return self.offset + self.received

    def may_continue(self, cap: int | None) -> bool:
        """Whether another page can exist: this one had rows, and neither total nor cap is met."""
        total, distinct = self.total, self.end - self.repeated
        capped = cap is not None and self.end >= cap and (total is None or total > cap)
        return self.received > 0 and (total is None or distinct < total) and not capped

    def promises_more(self, cap: int | None) -> bool:
        """Whether the provider says that there is more behind this page, and would give it."""
        if self.continues is not None:
            return self.continues
        return self.total is not None and self.end < min(self.total, cap or self.total)

    @property
    def is_incomplete(self) -> bool:
        """Whether the provider says that there is more than the different rows up to here."""
        owing = self.end - self.repeated < (self.total or 0)
        return owing if self.continues is None else self.continues

    @property
    def is_past_total(self) -> bool:
        """Whether this page begins where by the total there is nothing but what overlaps left."""
        return self.total is not None and self.offset >= self.total


class PaginationStrategy(Protocol):
    """The paging of one row."""

    @property
    def cap(self) -> int | None:
        """Rows that the provider gives at most, whatever `total` says."""
        ...

    @property
    def sequence(self) -> bool:
        """Whether `sequence_id` ties the pages together (and is not itself the cursor)."""
        ...

    def next_params(self, params: P, observed: PageObservation) -> P | None:
        """The params of the next page, or None at the end."""
        ...

    def offset_of(self, params: Params, size: int) -> int:
        """Rows before the page that `params` ask for, if pages have `size` rows."""
        ...

    def without_position(self, params: P) -> P:
        """The params without position."""
        ...


class Offset(msgspec.Struct, frozen=True):
    """`start` = rows so far, in the query or in the body, wherever the row puts it."""

    param: str = "start"
    size: str | None = None
    """The param that asks for a page size, where a shorter page is documented as the end."""
    cap: int | None = None
    sequence: bool = False

    def next_params(self, params: P, observed: PageObservation) -> P | None:
        asked = getattr(params, self.size) if self.size else None
        if asked is not None and observed.total is None and observed.received < asked:
            return None
        return (
            replace(params, **{self.param: observed.end})
            if observed.may_continue(self.cap)
            else None
        )

    def offset_of(self, params: Params, size: int) -> int:
        return getattr(params, self.param) or 0

    def without_position(self, params: P) -> P:
        return replace(params, **{self.param: 0})


class PageNumber(msgspec.Struct, frozen=True):
    """`page` = 1, 2, 3 in the query."""

    param: str = "page"
    first: int = 1
    size: int | str | None = None
    """Rows of a full page, or the param that asks for them, where a shorter one is documented as
    the end."""
    cap: int | None = None
    sequence: bool = False
    repeat_ends: bool = False
    """A page that repeats the one before is the end and no error: the server may not count."""

    def next_params(self, params: P, observed: PageObservation) -> P | None:
        full = getattr(params, self.size) if isinstance(self.size, str) else self.size
        if full is not None and observed.total is None and observed.received < full:
            return None
        page = self._page(params)
        return (
            replace(params, **{self.param: page + 1}) if observed.may_continue(self.cap) else None
        )

    def offset_of(self, params: Params, size: int) -> int:
        return (self._page(params) - self.first) * size

    def without_position(self, params: P) -> P:
        return replace(params, **{self.param: self.first})

    def _page(self, params: Params) -> int:
        page: int | None = getattr(params, self.param)
        return self.first if page is None else page


class OffsetWhileMore(msgspec.Struct, frozen=True):
    """`start` = rows so far for as long as pages say that they go on; a token travels beside it.

    A total is no end here: it may be missing or approximate.
    """

    param: str = "start"
    token: str | None = None
    cap: int | None = None
    sequence: bool = False

    def next_params(self, params: P, observed: PageObservation) -> P | None:
        if not (observed.received and observed.continues):
            return None
        beside = {self.token: observed.cursor or None} if self.token else {}
        return replace(params, **{self.param: observed.end}, **beside)

    def offset_of(self, params: Params, size: int) -> int:
        return getattr(params, self.param) or 0

    def without_position(self, params: P) -> P:
        beside = {self.token: None} if self.token else {}
        return replace(params, **{self.param: 0}, **beside)


class PageInUrl(msgspec.Struct, frozen=True):
    """`page=N` inside the LinkedIn URL that a param holds; nothing else in it is touched."""

    param: str = "url"
    name: str = "page"
    cap: int | None = None
    sequence: bool = True

    def next_params(self, params: P, observed: PageObservation) -> P | None:
        url = getattr(params, self.param)
        page = number_in_url(url, self.name, 1) + 1
        turned = with_number_in_url(url, self.name, page)
        return replace(params, **{self.param: turned}) if observed.may_continue(self.cap) else None

    def offset_of(self, params: Params, size: int) -> int:
        return (number_in_url(getattr(params, self.param), self.name, 1) - 1) * size

    def without_position(self, params: P) -> P:
        return replace(
            params, **{self.param: with_number_in_url(getattr(params, self.param), self.name)}
        )


class OffsetInUrl(msgspec.Struct, frozen=True):
    """`start=<rows so far>` inside the LinkedIn URL, as LinkedIn's own job searches have it."""

    param: str = "url"
    name: str = "start"
    cap: int | None = None
    sequence: bool = True

    def next_params(self, params: P, observed: PageObservation) -> P | None:
        turned = with_number_in_url(getattr(params, self.param), self.name, observed.end)
        return replace(params, **{self.param: turned}) if observed.may_continue(self.cap) else None

    def offset_of(self, params: Params, size: int) -> int:
        return number_in_url(getattr(params, self.param), self.name, 0)

    def without_position(self, params: P) -> P:
        return replace(
            params, **{self.param: with_number_in_url(getattr(params, self.param), self.name)}
        )


class Cursor(msgspec.Struct, frozen=True):
    """A token from each page leads to the next; with `start`, the offset travels beside it."""

    param: str
    start: str | None = None
    start_alone: bool = True
    """Whether `start` leads on by itself where a page has no token and the total says more."""
    cap: int | None = None
    sequence: bool = False

    def next_params(self, params: P, observed: PageObservation) -> P | None:
        if not observed.may_continue(self.cap):
            return None
        beside = {self.start: observed.end} if self.start else {}
        if observed.cursor in (None, ""):
            # lix.md#activity: no token, but more by the total: go on with start alone.
            more = bool(beside) and self.start_alone and observed.total is not None
            return replace(params, **{self.param: None}, **beside) if more else None
        if observed.cursor == getattr(params, self.param):
            return None
        return replace(params, **{self.param: observed.cursor}, **beside)

    def offset_of(self, params: Params, size: int) -> int:
        return (getattr(params, self.start) or 0) if self.start else 0

    def without_position(self, params: P) -> P:
        beside = {self.start: 0} if self.start else {}
        return replace(params, **{self.param: None}, **beside)


class SinglePage(msgspec.Struct, frozen=True):
    """A listing of which no way to a second page is published, whatever its total says."""

    cap: int | None = None
    sequence: bool = False

    def next_params(self, params: P, observed: PageObservation) -> P | None:
        return None

    def offset_of(self, params: Params, size: int) -> int:
        return 0

    def without_position(self, params: P) -> P:
        return params


def _matches(url: str, name: str) -> list[re.Match[str]]:
    return list(re.finditer(rf"(?<=[?&#]){name}=([^&#]*)", url))


def number_in_url(url: str, name: str, default: int) -> int:
    """The whole number that a parameter of a LinkedIn URL holds; the last one counts."""
    found = _matches(url, name)
    if not found or not found[-1][1]:
        return default
    value = found[-1][1]
    if not (value.isascii() and value.isdigit() and len(value) <= 9):
        raise ConfigurationError(f"{name}= in the LinkedIn URL must be a number, not {value!r}")
    return max(int(value), default)


def with_number_in_url(url: str, name: str, value: int | None = None) -> str:
    """The URL with that parameter set, or removed for None, and every other byte as it was.

    The parameters stand after `?`, or on Sales Navigator after `#`: a parameter that is already
    there is replaced in place, a new one goes where the others are.
    """
    found = _matches(url, name)
    if value is None:
        for match in reversed(found):
            # The separator goes along with it: the one after, or at the end the one before.
            end = match.end() + 1 if url[match.end() : match.end() + 1] == "&" else match.end()
            start = match.start() if end > match.end() else match.start() - 1
            url = url[:start] + url[end:]
        return url
    if found:
        for match in reversed(found):
            url = f"{url[: match.start()]}{name}={value}{url[match.end() :]}"
        return url
    head, hash_, fragment = url.partition("#")
    if "=" in fragment:
        return f"{head}#{_with_separator(fragment)}{name}={value}"
    glue = _with_separator(head) if "?" in head else f"{head}?"
    return f"{glue}{name}={value}{hash_}{fragment}"


def _with_separator(part: str) -> str:
    return part if part.endswith(("?", "&")) else f"{part}&"
