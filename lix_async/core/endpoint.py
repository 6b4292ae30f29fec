"""What an API is made of: an `Endpoint` is one row of a provider's table.

A row is a value. It says where a call goes (`method`, `path`), what goes out (`params`, a struct
whose fields carry the provider's own names), what comes back (`result`), how the pages of a
listing follow one another (`paging`), what a call costs (`credits`) and whether it may be
repeated (`safe`). Nothing about one endpoint is written anywhere else.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Generic, Literal, TypeAlias, TypeVar

import msgspec

from .errors import ConfigurationError
from .models import Listing, Params, R_co

if TYPE_CHECKING:
    from .pagination import PaginationStrategy

CreditKind = Literal["standard", "org", "email", "free", "unknown"]


P = TypeVar("P", bound=Params)


class Price(msgspec.Struct, frozen=True):
    """Credits for one call: `amount` of a `kind`. `unknown` where the provider does not say."""

    kind: CreditKind
    amount: int = 0
    only: str | None = None
    """Name of the result's flag that must be true for the call to be charged."""


FREE = Price("free")
UNKNOWN = Price("unknown")


def standard(amount: int) -> Price:
    """Standard credits: people, posts, jobs, searches, messages."""
    return Price("standard", amount)


def org(amount: int) -> Price:
    """Organisation credits: organisation and id lookups, LookC."""
    return Price("org", amount)


@dataclass(frozen=True)
class Endpoint(Generic[P, R_co]):
    """One row of a provider's table."""

    id: str
    method: Literal["GET", "POST", "PUT", "DELETE"]
    path: str
    params: type[P]
    result: type[R_co]
    paging: PaginationStrategy | None = None
    credits: Price = UNKNOWN
    idempotent: bool = True
    """May be repeated when it is not known whether it arrived. False for calls that act."""
    body: tuple[str, ...] = ()
    """Params that travel in a JSON body; the others go into the path or the query."""
    form: bool = False
    """The params of `body` travel as a form instead."""
    alternate: str | None = None
    """A second published path, tried once when the provider says `unknown_route`."""
    docs: str = ""
    """Where the contract describes it, as `file.md#anchor` of docs/contract."""
    group: str = ""
    """Which of the provider's limits a call counts against, where it has several."""
    rooted: bool = False
    """The path begins at the host: a path of the base URL does not go before it."""
    spread: str | None = None
    """A mapping among the body's params whose entries stand beside the others, not inside."""
    unsure: str | None = None
    """Name of the result's flag that tells that asking again may bring a better answer."""
    arrays: Literal["joined", "repeated", "bracketed"] = "joined"
    """Lists in a query: `a=1,2`, or `a=1&a=2`, or `a[]=1&a[]=2`."""

    @property
    def is_listing(self) -> bool:
        """Whether its answers are the pages of a listing."""
        return self.paging is not None and issubclass(self.result, Listing)

    def sent_with(self, params: P) -> Endpoint[P, R_co]:
        """The row for a call with these params: not safe where they say so."""
        return self if params.is_idempotent() else replace(self, idempotent=False)


AnyEndpoint: TypeAlias = Endpoint[Any, object]
"""An endpoint of which neither the params nor the result is known: an entry of a table."""


def check_params(params: P, kind: type[P]) -> P:
    """The same params, once every field is of its type; else `ConfigurationError` naming it.

    Python checks no types when a struct is made, and a text where a number belongs would be told
    by the provider, after the turn and perhaps the credit is gone.
    """
    if not isinstance(params, kind):
        raise ConfigurationError(f"expected {kind.__name__}, got {type(params).__name__}")
    names = dict(zip(params.__struct_encode_fields__, params.__struct_fields__, strict=True))
    try:
        fields = {wire: getattr(params, name) for wire, name in names.items()}
        return msgspec.convert(fields, type(params))
    except msgspec.ValidationError as error:
        message, _, path = str(error).partition(" - at `$.")
    wire = path.rstrip("`").partition(".")[0].partition("[")[0]
    raise ConfigurationError(f"{names.get(wire, kind.__name__)}: {message}")


def exactly_one(params: Params, *names: str) -> None:
    """Raise `ConfigurationError` unless exactly one of the named fields is given."""
    given = [name for name in names if getattr(params, name) not in (None, [])]
    if len(given) == 1 and getattr(params, given[0]) == "":
        given = []
    if len(given) != 1:
        wanted = " or ".join(names)
        found = "none is" if not given else " and ".join(given) + " are"
        raise ConfigurationError(f"give exactly one of {wanted}: {found} given")


def required(params: Params, *names: str) -> None:
    """Raise `ConfigurationError` when a named field is missing or empty."""
    for name in names:
        if getattr(params, name) in (None, "", []):
            hint = " (or set viewer_id on the client)" if name == "viewer_id" else ""
            raise ConfigurationError(f"{name} must not be empty{hint}")


def at_most(params: Params, name: str, limit: int) -> None:
    """Raise `ConfigurationError` when a text is longer than the provider takes, in characters."""
    text = getattr(params, name)
    if text is not None and len(text) > limit:
        raise ConfigurationError(f"{name} has {len(text)} characters, at most {limit} are allowed")


def at_least(params: Params, name: str, limit: int) -> None:
    """Raise `ConfigurationError` when a number is below what the provider takes."""
    value = getattr(params, name)
    if value is not None and value < limit:
        raise ConfigurationError(f"{name} must be at least {limit}, not {value}")


@dataclass(frozen=True)
class BalanceEndpoints:
    """The rows of a provider's table that tell what is left, and how their answers are read.

    `credits` gives the balance by kind of credit; a kind that is not in it is unknown, or is
    bought by itself when it runs out. `left` gives the requests left today and when the allowance
    is full again (epoch seconds), each None where the answer does not say.
    """

    params: Params
    balances: Endpoint[Params, object]
    credits: Callable[[object], Mapping[CreditKind, int]]
    allowance: Endpoint[Params, object]
    left: Callable[[object], tuple[int | None, float | None]]
