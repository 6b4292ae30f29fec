"""Where the ids of people and organisations stand in params and answers, as data of endpoints."""

from __future__ import annotations

from typing import Literal, TypeAlias

import msgspec

SubjectType: TypeAlias = Literal["person", "organisation"]
IdForm: TypeAlias = Literal["link", "name", "sales", "member", "lix"]
"""What a field has: a `link` or URN; a `name` as at the end of a link, or a whole link, where the
value decides (a public identifier, an encoded id or digits); a `sales` Navigator id; the digits or
the URN of a `member`; an id that is Lix's own (`lix`)."""


class IdGroup(msgspec.Struct, frozen=True, kw_only=True, cache_hash=True):
    """Ids of one person or organisation that stand together in an answer.

    Names of fields are as the provider sends them, and lead into objects at each dot.
    """

    subject: SubjectType = "person"
    at: tuple[str, ...] = ("",)
    """Where such objects are: at the root, or at a path, in which `[]` follows the name of a list.
    An answer that is a list itself stands for the first list of a path."""
    own: bool = False
    """Whether they are of what the call asked for; of its rows, and of others in it, otherwise."""
    links: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    sales: tuple[str, ...] = ()
    members: tuple[str, ...] = ()
    lix: tuple[str, ...] = ()
    nested: str = ""
    """A list inside of such an object, of objects that have the same fields."""
