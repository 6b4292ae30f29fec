"""`Endpoint`, the description of one endpoint of a provider's API, and checks of its params.

An endpoint is a value. It says where a call goes (`method`, `path`), what is sent (`params`, a
struct whose fields have the provider's names), what is received (`result`), how the pages of a
listing follow one another (`paging`), what a call costs (`credits`) and whether it may be repeated
(`idempotent`). The code has no other description of it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Generic, Literal, NamedTuple, TypeAlias, TypeVar, cast

import msgspec

from .canonical import canonical_forms
from .errors import ConfigurationError
from .models import Listing, Params, R_co
from .subject_fields import SubjectFields
from .subject_ids import IdGroup, SubjectType
from .validation import encoded_json

if TYPE_CHECKING:
    from .pagination import PaginationStrategy

CreditKind = Literal["standard", "org", "email", "free", "unknown"]

P = TypeVar("P", bound=Params)


class Price(msgspec.Struct, frozen=True):
    """Credits for one call: `amount` of a `kind`; `unknown` where the provider does not say."""

    kind: CreditKind
    """The kind of credit; `free`, or `unknown` where the provider does not say."""
    amount: int = 0
    """The number of credits."""
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
    """One endpoint of a provider's API."""

    id: str
    method: Literal["GET", "POST", "PUT", "DELETE"]
    path: str
    params: type[P]
    result: type[R_co]
    paging: PaginationStrategy | None = None
    credits: Price = UNKNOWN
    idempotent: bool = True
    """Whether a call that may have arrived can be repeated. False for calls that act."""
    body: tuple[str, ...] = ()
    """Params that are sent in a JSON body; the others are sent in the path or the query."""
    form: bool = False
    """The params of `body` are sent as a form instead."""
    alternate: str | None = None
    """A second published path, tried when the provider answers `unknown_route`."""
    docs: str = ""
    """Where the contract describes it: a file and an anchor of docs/contract."""
    group: str = ""
    """Which of the provider's limits a call counts against, where it has several."""
    rooted: bool = False
    """The path begins at the host; a path of the base URL does not precede it."""
    spread: str | None = None
    """A mapping among the params of `body` whose entries are sent next to the others."""
    unsure: str | None = None
    """Name of the result's flag that says that a later call may get a better answer."""
    lookup: bool = False
    """Whether a read is paid for although its price is not published."""
    arrays: Literal["joined", "repeated", "bracketed"] = "joined"
    """Lists in a query: `a=1,2`, or `a=1&a=2`, or `a[]=1&a[]=2`."""
    poll: Callable[[object, int, bytes], object] | None = None
    """Where a call may go on in the background: (result, status, body) → what the method returns,
    or the `StatusCall` to ask with, or a `LixError`."""
    fields: SubjectFields | None = None
    """How answers are compared, where each is about one person or organisation."""
    subject: SubjectType | None = None
    """What a call asks about, where that is one person or organisation."""
    ids: tuple[IdGroup, ...] = ()
    """Where ids stand in an answer."""

    def result_of(self, value: object, status: int, body: bytes) -> object:
        """What a decoded answer comes to: a value, a `StatusCall`, or a `LixError`."""
        return value if self.poll is None else self.poll(value, status, body)

    @property
    def is_paid(self) -> bool:
        """Whether its answers cost credits, as far as that is known."""
        return self.lookup or self.credits.amount > 0

    @property
    def is_listing(self) -> bool:
        """Whether its answers are the pages of a listing."""
        return self.paging is not None and issubclass(self.result, Listing)

    def for_params(self, params: P) -> Endpoint[P, R_co]:
        """The endpoint for a call with these params: not idempotent where they are not."""
        return self if params.is_idempotent() else replace(self, idempotent=False)


AnyEndpoint: TypeAlias = Endpoint[Any, object]
"""An endpoint of which neither the params nor the result is known: an entry of a table."""


class StatusCall(NamedTuple):
    """The call that asks for the result of one that goes on in the background."""

    endpoint: AnyEndpoint
    params: Params
    request_id: str
    """The provider's name of what it works on."""


def endpoints_of(namespace: Mapping[str, object]) -> tuple[AnyEndpoint, ...]:
    """The endpoints that a module defines, in the order of its code.

    Args:
        namespace: The names of the module, as `vars(module)` or `globals()` returns them.
    """
    return tuple(
        cast("AnyEndpoint", value) for value in namespace.values() if isinstance(value, Endpoint)
    )


def check_params(params: P, kind: type[P]) -> P:
    """Check the types of all fields and return equal params.

    msgspec checks no types when a struct is created, and the provider would reject a text in place
    of a number only after a permit and perhaps a credit was used.

    Raises:
        ConfigurationError: A field has the wrong type; the message names it.

    """
    if not isinstance(params, kind):
        raise ConfigurationError(f"expected {kind.__name__}, got {type(params).__name__}")
    names = dict(zip(params.__struct_encode_fields__, params.__struct_fields__, strict=True))
    fields = {wire: getattr(params, name) for wire, name in names.items()}
    forms = canonical_forms(type(params))
    for wire, name in names.items():
        if name in forms and (send := forms[name].sent) and isinstance(fields[wire], str):
            fields[wire] = send(fields[wire])
    try:
        checked = msgspec.convert(fields, type(params))
    except msgspec.ValidationError as error:
        message, _, path = str(error).partition(" - at `$.")
    else:
        encoded_json("a parameter", checked)
        return checked
    wire = path.rstrip("`").partition(".")[0].partition("[")[0]
    raise ConfigurationError(f"{names.get(wire, kind.__name__)}: {message}")


def exactly_one(params: Params, *names: str) -> None:
    """Check that exactly one of the named fields is given.

    Raises:
        ConfigurationError: None or several are given.

    """
    given = [name for name in names if getattr(params, name) not in (None, [])]
    if len(given) == 1 and getattr(params, given[0]) == "":
        given = []
    if len(given) != 1:
        wanted = " or ".join(names)
        found = "none is" if not given else " and ".join(given) + " are"
        raise ConfigurationError(f"exactly one of {wanted} is required: {found} given")


def required(params: Params, *names: str) -> None:
    """Check that the named fields are given and not empty.

    Raises:
        ConfigurationError: One of them is missing or empty.

    """
    for name in names:
        if getattr(params, name) in (None, "", []):
            hint = " (or set viewer_id on the client)" if name == "viewer_id" else ""
            raise ConfigurationError(f"{name} must not be empty{hint}")


def at_most(params: Params, name: str, limit: int) -> None:
    """Check the length of a text, in characters.

    Raises:
        ConfigurationError: It is longer than `limit`.

    """
    text = getattr(params, name)
    if text is not None and len(text) > limit:
        raise ConfigurationError(f"{name} must have at most {limit} characters, not {len(text)}")


def at_least(params: Params, name: str, limit: int) -> None:
    """Check the lower limit of a number.

    Raises:
        ConfigurationError: It is below `limit`.

    """
    value = getattr(params, name)
    if value is not None and value < limit:
        raise ConfigurationError(f"{name} must be at least {limit}, not {value}")


@dataclass(frozen=True)
class BalanceEndpoints:
    """The endpoints that report what is left of an account, and how to read their answers."""

    params: Params
    balances: Endpoint[Params, object]
    credits: Callable[[object], Mapping[CreditKind, int]]
    """The balance by kind of credit. A kind that is missing is unknown, or bought when needed."""
    allowance: Endpoint[Params, object]
    left: Callable[[object], tuple[int | None, float | None]]
    """The requests left today, and when the allowance is full again (epoch seconds)."""
