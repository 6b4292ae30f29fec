"""The base classes of parameters, results and listings."""

from __future__ import annotations

from typing import Generic, TypeVar, get_args

import msgspec


class Params(msgspec.Struct, frozen=True, kw_only=True):
    """What goes out: the whole state of a call, and of a walk. Copyable, comparable, savable."""

    def check(self) -> None:
        """Raise `ConfigurationError` for arguments that the provider is known to refuse."""

    def is_idempotent(self) -> bool:
        """Whether these params leave a safe row safe; False where they make the call an act."""
        return True


class Model(
    msgspec.Struct, kw_only=True, rename="camel", omit_defaults=True, repr_omit_defaults=True
):
    """What comes back. Every field may be missing; `msgspec.json.encode` gives the wire's names."""


class Paging(Model):
    """The provider's own words about a page. Documentation and samples disagree about `count`."""

    count: int | None = None
    start: int | None = None
    total: int | None = None


class Meta(Model):
    """What stands beside the items of a search: the id that ties its pages together."""

    sequence_id: str | None = None


Item = TypeVar("Item")


R_co = TypeVar("R_co", covariant=True)


class Listing(Model, Generic[Item]):
    """A page as it came. A subclass gives `items` its wire name; the rest is alike everywhere."""

    items: list[Item] = []
    paging: Paging | None = None
    meta: Meta | None = None

    def rows(self) -> list[Item]:
        """The items one by one, also where the wire groups or nests them."""
        return self.items

    @property
    def total(self) -> int | None:
        """Matches that the provider claims, if it claims any; negative claims are none."""
        total = self.paging.total if self.paging else None
        return total if total is not None and total >= 0 else None

    @property
    def sequence_id(self) -> str | None:
        """The id for the following pages, once the provider sends one."""
        return (self.meta.sequence_id if self.meta else None) or None

    @property
    def cursor(self) -> str | int | None:
        """What leads to the next page where pages are linked by tokens; else None."""
        return None

    @property
    def continues(self) -> bool | None:
        """Whether there are more pages, where the provider says so in so many words; else None."""
        return None


def item_type(listing: type) -> type:
    """What a listing lists: `Person` for `class PeoplePage(Listing[Person])`."""
    for kind in listing.__mro__:
        for base in getattr(kind, "__orig_bases__", ()):
            if isinstance(found := next(iter(get_args(base)), None), type):
                return found
    raise TypeError(f"{listing.__name__} does not say what it lists")
