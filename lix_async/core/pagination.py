"""How the pages of a listing follow one another: pure functions of params and page.

Offsets advance by the number of items received, never by `paging.count` or `paging.start`, which
documentation and samples fill differently (lix.md#paging-object). The rules by which a strategy
ends a listing are in `PageObservation.may_continue` and in the strategies; each is from
lix.md#paging-end. `engine/pages.py` has those for empty and repeated pages.
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
    """What a strategy is given of the page that was fetched last."""

    offset: int
    """Items before this page."""
    received: int
    """Items on this page."""
    total: int | None = None
    cursor: str | int | None = None
    continues: bool | None = None
    """Whether there are more pages, where the provider says so. Then the total does not count."""
    repeated: int = 0
    """Items up to the end of this page that had been received before."""

    @property
    def end(self) -> int:
        """Items up to the end of this page."""
        return self.offset + self.received

    def may_continue(self, cap: int | None) -> bool:
        """Whether another page can exist.

        A short page is not the end: searches return some in the middle. An empty page is. Pages
        may overlap, so a total is only reached by different items. A cap is a position, so all
        items count, but it only applies where the total is above it (lix.md#paging-caps).
        """
        total, distinct = self.total, self.end - self.repeated
        capped = cap is not None and self.end >= cap and (total is None or total > cap)
        return self.received > 0 and (total is None or distinct < total) and not capped

    def promises_more(self, cap: int | None) -> bool:
        """Whether the provider says that there are more items, and would return them."""
        if self.continues is not None:
            return self.continues
        return self.total is not None and self.end < min(self.total, cap or self.total)

    @property
    def is_incomplete(self) -> bool:
        """Whether the provider says that there are more different items than were received."""
        if self.continues is not None:
            return self.continues
        return self.end - self.repeated < (self.total or 0)

    @property
    def is_past_total(self) -> bool:
        """Whether by the total this page can only repeat items: earlier pages overlapped."""
        return self.total is not None and self.offset >= self.total


class PaginationStrategy(Protocol):
    """The pagination of one endpoint."""

    @property
    def cap(self) -> int | None:
        """Items that the provider returns at most, whatever `total` says."""
        ...

    @property
    def sequence(self) -> bool:
        """Whether `sequence_id` ties the pages together, without being the cursor itself."""
        ...

    def next_params(self, params: P, observed: PageObservation) -> P | None:
        """The params of the next page, or None at the end."""
        ...

    def offset_of(self, params: Params, size: int) -> int:
        """Items before the page that `params` ask for, if pages have `size` items."""
        ...

    def without_position(self, params: P) -> P:
        """The params without the position: equal for all pages of one listing."""
        ...


def _is_last_by_size(params: Params, size: int | str | None, observed: PageObservation) -> bool:
    """Whether a page is the last one because it is shorter than the size asked for.

    Only where that is documented for the endpoint, and no total is known.
    """
    full = getattr(params, size) if isinstance(size, str) else size
    return full is not None and observed.total is None and observed.received < full


class Offset(msgspec.Struct, frozen=True):
    """`start` = items received so far, in the query or in the body."""

    param: str = "start"
    size: str | None = None
    """The param that asks for a page size, where a shorter page is documented as the end."""
    cap: int | None = None
    sequence: bool = False

    def next_params(self, params: P, observed: PageObservation) -> P | None:
        if _is_last_by_size(params, self.size, observed) or not observed.may_continue(self.cap):
            return None
        return replace(params, **{self.param: observed.end})

    def offset_of(self, params: Params, size: int) -> int:
        return getattr(params, self.param) or 0

    def without_position(self, params: P) -> P:
        return replace(params, **{self.param: 0})


class PageNumber(msgspec.Struct, frozen=True):
    """`page` = 1, 2, 3 in the query."""

    param: str = "page"
    first: int = 1
    size: int | str | None = None
    """Items of a full page, or the param that asks for them, where a shorter page is documented
    as the end."""
    cap: int | None = None
    sequence: bool = False
    repeat_ends: bool = False
    """A page that repeats the one before is the end, not an error: the server may ignore the
    number."""

    def next_params(self, params: P, observed: PageObservation) -> P | None:
        if _is_last_by_size(params, self.size, observed) or not observed.may_continue(self.cap):
            return None
        return replace(params, **{self.param: self._page(params) + 1})

    def offset_of(self, params: Params, size: int) -> int:
        return (self._page(params) - self.first) * size

    def without_position(self, params: P) -> P:
        return replace(params, **{self.param: self.first})

    def _page(self, params: Params) -> int:
        page: int | None = getattr(params, self.param)
        return self.first if page is None else page


class OffsetWhileMore(msgspec.Struct, frozen=True):
    """`start` = items received so far, as long as pages say that there are more.

    The total does not end it: it may be missing or approximate (connectsafely.md#paging).
    """

    param: str = "start"
    token: str | None = None
    """The param for the token that each page gives for the next one, sent in addition."""
    cap: int | None = None
    sequence: bool = False

    def next_params(self, params: P, observed: PageObservation) -> P | None:
        if not (observed.received and observed.continues):
            return None
        token = {self.token: observed.cursor or None} if self.token else {}
        return replace(params, **{self.param: observed.end}, **token)

    def offset_of(self, params: Params, size: int) -> int:
        return getattr(params, self.param) or 0

    def without_position(self, params: P) -> P:
        token = {self.token: None} if self.token else {}
        return replace(params, **{self.param: 0}, **token)


class PageInUrl(msgspec.Struct, frozen=True):
    """`page=N` inside the LinkedIn URL that a param holds (lix.md#paging-url)."""

    param: str = "url"
    name: str = "page"
    cap: int | None = None
    sequence: bool = True

    def next_params(self, params: P, observed: PageObservation) -> P | None:
        url = getattr(params, self.param)
        page = number_in_url(url, self.name, 1) + 1
        next_url = with_number_in_url(url, self.name, page)
        if not observed.may_continue(self.cap):
            return None
        return replace(params, **{self.param: next_url})

    def offset_of(self, params: Params, size: int) -> int:
        return (number_in_url(getattr(params, self.param), self.name, 1) - 1) * size

    def without_position(self, params: P) -> P:
        url = with_number_in_url(getattr(params, self.param), self.name)
        return replace(params, **{self.param: url})


class OffsetInUrl(msgspec.Struct, frozen=True):
    """`start` = items received so far inside the LinkedIn URL, as in LinkedIn's job searches."""

    param: str = "url"
    name: str = "start"
    cap: int | None = None
    sequence: bool = True

    def next_params(self, params: P, observed: PageObservation) -> P | None:
        next_url = with_number_in_url(getattr(params, self.param), self.name, observed.end)
        if not observed.may_continue(self.cap):
            return None
        return replace(params, **{self.param: next_url})

    def offset_of(self, params: Params, size: int) -> int:
        return number_in_url(getattr(params, self.param), self.name, 0)

    def without_position(self, params: P) -> P:
        url = with_number_in_url(getattr(params, self.param), self.name)
        return replace(params, **{self.param: url})


class Cursor(msgspec.Struct, frozen=True):
    """A token on each page leads to the next one."""

    param: str
    start: str | None = None
    """The param for the items received so far, sent in addition to the token."""
    start_alone: bool = True
    """Whether `start` alone leads to the next page where a page has no token and the total says
    that there is more."""
    size: int | None = None
    """Items of a page for which no `count` was asked, where each item may have a token: a full page
    on which none has it may not be the last one."""
    cap: int | None = None
    sequence: bool = False

    def next_params(self, params: P, observed: PageObservation) -> P | None:
        if not observed.may_continue(self.cap):
            return None
        start = {self.start: observed.end} if self.start else {}
        if observed.cursor in (None, ""):
            # lix.md#activity: no token, but more by the total: continue with start alone.
            more = bool(start) and self.start_alone and observed.total is not None
            return replace(params, **{self.param: None}, **start) if more else None
        if observed.cursor == getattr(params, self.param):  # the page would come again for ever
            return None
        return replace(params, **{self.param: observed.cursor}, **start)

    def offset_of(self, params: Params, size: int) -> int:
        return (getattr(params, self.start) or 0) if self.start else 0

    def is_cut_off(self, params: Params, observed: PageObservation) -> bool:
        """Whether items may follow this last page, to which no token leads."""
        if self.size is None or observed.cursor not in (None, ""):
            return False
        full: int = getattr(params, "count", None) or self.size
        return observed.received >= full

    def without_position(self, params: P) -> P:
        start = {self.start: 0} if self.start else {}
        return replace(params, **{self.param: None}, **start)


class SinglePage(msgspec.Struct, frozen=True):
    """A listing whose further pages cannot be requested in any documented way."""

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
    """Return the whole number that a parameter of a LinkedIn URL holds; the last one counts.

    Raises:
        ConfigurationError: The parameter is not a whole number.

    """
    matches = _matches(url, name)
    if not matches or not matches[-1][1]:
        return default
    value = matches[-1][1]
    if not (value.isascii() and value.isdigit() and len(value) <= 9):
        raise ConfigurationError(f"{name}= in the LinkedIn URL must be a number, not {value!r}")
    return max(int(value), default)


def with_number_in_url(url: str, name: str, value: int | None = None) -> str:
    """Return the URL with a parameter set, or removed for None; every other byte stays.

    LinkedIn rejects a re-encoded `query` value. The parameters stand after `?`, or on Sales
    Navigator after `#`. A parameter that is there is replaced in place, a new one is appended to
    the others.

    Contract: lix.md#paging-url
    """
    matches = _matches(url, name)
    if value is None:
        for match in reversed(matches):
            # The separator is removed as well: the one after, or at the end the one before.
            end = match.end() + 1 if url[match.end() : match.end() + 1] == "&" else match.end()
            start = match.start() if end > match.end() else match.start() - 1
            url = url[:start] + url[end:]
        return url
    if matches:
        for match in reversed(matches):
            url = f"{url[: match.start()]}{name}={value}{url[match.end() :]}"
        return url
    head, hash_, fragment = url.partition("#")
    if "=" in fragment:
        return f"{head}#{_with_separator(fragment)}{name}={value}"
    query = _with_separator(head) if "?" in head else f"{head}?"
    return f"{query}{name}={value}{hash_}{fragment}"


def _with_separator(part: str) -> str:
    return part if part.endswith(("?", "&")) else f"{part}&"
