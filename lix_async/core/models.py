"""The base classes of parameters, results, listings and objects whose keys are open."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Generic, TypeVar, cast, get_args
from urllib.parse import unquote

import msgspec

from .bridge import ReadableStruct, named_schema
from .values import JsonObject, decode_undocumented, number

if TYPE_CHECKING:
    from .bridge import CoreSchema, SchemaHandler


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
    ReadableStruct,
    msgspec.Struct,
    kw_only=True,
    rename="camel",
    omit_defaults=True,
    repr_omit_defaults=True,
    gc=False,  # JSON has no cycles, and the collector's passes would double the time of decoding
):
    """A result. Every field may be missing; `msgspec.json.encode` gives the wire's names."""


class OpenObject(dict[str, object]):
    """An object whose keys are not documented: a dict with accessors for the likely ones."""

    @classmethod
    def __get_pydantic_core_schema__(cls, source: object, handler: SchemaHandler) -> CoreSchema:
        return named_schema(
            cls,
            source,
            lambda: handler.generate_schema(dict[str, object]),
            read=lambda value: msgspec.convert(value, cls, dec_hook=decode_undocumented),
            write=dict,
        )

    def first_text(self, *names: str) -> str | None:
        """Return the first of the named values that is a text and not empty."""
        for name in names:
            value = self.get(name)
            if isinstance(value, str) and value:
                return value
        return None

    def first_number(self, *names: str) -> int | None:
        """Return the first of the named values that is a number, also in a text, as int."""
        for name in names:
            value = number(self.get(name))
            if value is not None:
                return int(value)
        return None

    def inside(self, *path: str) -> object:
        """Return the value at a path of keys, or None."""
        value: object = self
        for name in path:
            value = cast("JsonObject", value).get(name) if isinstance(value, dict) else None
        return value


AnyStruct = msgspec.Struct | OpenObject
"""What a method returns, or one of its items: a struct, or an open object such as `Post`."""


class Paging(Model):
    """What the provider says about a page. Documentation and samples disagree about `count`."""

    count: int | None = None
    """Items of this page, or items asked for: documentation and samples disagree."""
    start: int | None = None
    """Items before this page, where pages go by an offset."""
    total: int | None = None
    """The number of matches that the provider claims."""


class Meta(Model):
    """What accompanies the items of a search: the id that ties its pages together."""

    sequence_id: str | None = None
    """The id that connects the pages of one search."""


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

    items: list[Item] = []  # msgspec copies it
    """The items of the page, as they were received."""
    paging: Paging | None = None
    """What the provider says about the page."""
    meta: Meta | None = None
    """What accompanies the items, such as the id that connects the pages."""

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
