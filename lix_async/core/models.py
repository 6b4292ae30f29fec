"""The base classes of parameters, results and listings."""

from __future__ import annotations

import re
from typing import Generic, TypeVar, get_args
from urllib.parse import unquote

import msgspec


class Params(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """The parameters of a call: a value that can be copied, compared and saved."""

    def check(self) -> None:
        """Check the values beyond their types.

        Raises:
            ConfigurationError: The provider is known to reject them.

        """

    def is_idempotent(self) -> bool:
        """Whether a call of an idempotent endpoint with these parameters may be repeated."""
        return True


class Model(
    msgspec.Struct,
    kw_only=True,
    rename="camel",
    omit_defaults=True,
    repr_omit_defaults=True,
    gc=False,  # JSON has no cycles, and the collector's passes would double the time of decoding
):
    """A result. Every field may be missing; `msgspec.json.encode` gives the wire's names."""


class Paging(Model):
    """What the provider says about a page. Documentation and samples disagree about `count`."""

    count: int | None = None
    start: int | None = None
    total: int | None = None


class Meta(Model):
    """What accompanies the items of a search: the id that ties its pages together."""

    sequence_id: str | None = None


Item = TypeVar("Item")
_PLACEHOLDER = re.compile(
    r"(?:[^?#]*[/:])?(?:/*|\(?(?:undefined|null|none|nil|nan|n/?a|unknown|headless"
    r"|\[object \w+\]|0|-1|-|#|(?=,))(?:,[^/?#]*)?/*(?:[?#].*)?)",
    re.IGNORECASE | re.DOTALL,
)
"""What ends with no name, or with what programs write in place of one. A Sales Navigator id has an
authentication type and token behind the name: `undefined,NAME_SEARCH,undefined`."""
R_co = TypeVar("R_co", covariant=True)


class UnreadableItem:
    """An item of a listing in place of a row that could not be read.

    It is of the type of the other items, with every field empty, so that a loop over them need not
    tell it apart; `isinstance(item, UnreadableItem)` does.
    """

    __slots__ = ()

    raw: bytes
    """The row as JSON."""
    reason: str
    """What does not fit, and where."""


class ItemCounts(msgspec.Struct, frozen=True):
    """Rows of a page that are not items as they should be."""

    nulls: int = 0
    """Rows that were null, which are not among the items."""
    repaired: int = 0
    """Items without a field that did not fit."""
    unreadable: int = 0
    """Items that are an `UnreadableItem`."""


_ALL_WELL = ItemCounts()


class Listing(Model, Generic[Item], dict=True, gc=True):
    """A page as it was received. A subclass gives `items` its name on the wire."""

    items: list[Item] = []
    paging: Paging | None = None
    meta: Meta | None = None

    def rows(self) -> list[Item]:
        """The items one by one, also where the wire groups or nests them."""
        return self.items

    @property
    def counts(self) -> ItemCounts:
        """The rows that are not items as they should be."""
        counts: ItemCounts = vars(self).get("counts", _ALL_WELL)
        return counts

    def note(self, counts: ItemCounts) -> None:
        """Keep the counts of the rows. They are no field of the answer."""
        vars(self)["counts"] = counts

    @property
    def received(self) -> int:
        """The number of rows as they came, null ones included: positions count all of them."""
        return len(self.rows()) + self.counts.nulls

    @property
    def total(self) -> int | None:
        """The number of matches, where the provider gives one; a negative one counts as none."""
        total = self.paging.total if self.paging else None
        return total if total is not None and total >= 0 else None

    @property
    def sequence_id(self) -> str | None:
        """The id to send for the following pages, once the provider gives one."""
        return (self.meta.sequence_id if self.meta else None) or None

    @property
    def cursor(self) -> str | int | None:
        """The token of the next page, where pages are linked by tokens."""
        return None

    @property
    def continues(self) -> bool | None:
        """Whether there are more pages, where the provider says so."""
        return None


def known_id(text: str | None) -> str | None:
    """The id, link or URN itself; None for a placeholder, which different items share."""
    return None if text is None or _PLACEHOLDER.fullmatch(unquote(text)) else text


def item_type(listing: type) -> type:
    """Return the type of a listing's items: `Person` for `class PeoplePage(Listing[Person])`.

    Raises:
        TypeError: The class has no type argument.

    """
    for kind in listing.__mro__:
        for base in getattr(kind, "__orig_bases__", ()):
            if isinstance(found := next(iter(get_args(base)), None), type):
                return found
    raise TypeError(f"{listing.__name__} must name its item type: Listing[Item]")
