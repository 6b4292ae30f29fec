"""The arguments of a client: validation, defaults and environment variables."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from types import ModuleType
from typing import TYPE_CHECKING, Protocol, TypedDict, cast

import msgspec

from ..concurrency.clock import Clock
from ..core.endpoint import CreditKind
from ..core.errors import ConfigurationError
from ..core.freshness import Age, Freshness, check_age, freshness
from ..core.provider import ApiKey, Provider
from ..core.rate_limit import RateLimit
from ..core.retry import RetryPolicy
from ..core.schema_drift import OnDrift
from ..core.validation import check_attributes, check_type
from ..limiters.base import Limiter, adapt
from ..limiters.local import LocalLimiter
from .credentials import RequestBuilder
from .events import OnEvent
from .transport import DEFAULT_TIMEOUT, ClientTransport, HttpTransport, Transport, Verify

if TYPE_CHECKING:
    import httpx
    import httpx2

    from ..ledger.ledger import StoreAddress
    from .doubts import DoubtPolicy

    HttpClient = httpx.AsyncClient | httpx2.AsyncClient | ModuleType | Transport


class TimeoutLike(Protocol):
    """`httpx.Timeout` or `httpx2.Timeout`."""

    def as_dict(self) -> dict[str, float | None]:
        """Seconds for connect, read, write and pool."""
        ...


class Unset:
    """The type of `UNSET`, the default of arguments for which None is a value."""

    def __repr__(self) -> str:
        return "UNSET"


UNSET = Unset()


class CommonOptions(TypedDict, total=False):
    """The arguments of `Client` that have one type for every provider; see `AsyncLix`."""

    auth: str | Unset
    base_url: str | None
    viewer_id: str | None
    retry: RetryPolicy
    deadline: float | None
    timeout: float | TimeoutLike | None
    http_client: HttpClient | None
    verify: Verify
    max_credits: int | Mapping[CreditKind, int] | None
    on_drift: OnDrift | None
    max_age: Age | None
    refused_age: Age | None
    cache: bool | StoreAddress | None
    cache_searches: bool
    doubts: DoubtPolicy
    on_event: OnEvent | Sequence[OnEvent]
    clock: Clock | None


class ClientOptions(CommonOptions, total=False):
    """The keyword arguments of `Client`, which the clients of all providers accept."""

    rate_limit: RateLimit | Limiter | Unset | None


class CallOptions(msgspec.Struct, frozen=True):
    """The options of a call, which `with_options` changes for a view."""

    retry: RetryPolicy
    deadline: float | None
    defaults: Mapping[str, str] = {}
    """Values of parameters that a call takes and the caller has not passed."""
    default_names: tuple[str, ...] = ()
    """All parameters that may have a default. Empty text is rejected for them."""
    max_age: Age | None = None
    """The greatest age of a stored answer that is not bought again."""
    refused_age: Age | None = None


def call_options(
    retry: RetryPolicy,
    deadline: float | None,
    defaults: Mapping[str, str | None],
    max_age: Age | None = None,
    refused_age: Age | None = None,
) -> CallOptions:
    """The checked call options of a client or view.

    Raises:
        ConfigurationError: If an argument is not valid.
    """
    check_type("retry", retry, RetryPolicy)
    check_type("deadline", deadline, float | None)
    if deadline is not None:
        _positive("deadline", deadline)
    for name, value in defaults.items():
        check_type(name, value, str | None)
        reject_empty(name, value)
    values = {name: value for name, value in defaults.items() if value is not None}
    check_age("max_age", max_age)
    check_age("refused_age", refused_age)
    return CallOptions(retry, deadline, values, tuple(defaults), max_age, refused_age)


def chosen_freshness(
    options: CallOptions, max_age: Age | Unset | None, refused_age: Age | Unset | None, now: float
) -> Freshness:
    """Which answers are new enough by the given ages, else by those of the client.

    Args:
        options: The options of the client.
        max_age: The greatest age of an answer.
        refused_age: The same for refusals.
        now: Epoch seconds.

    Raises:
        ConfigurationError: If an argument is not an age.
    """
    return freshness(
        options.max_age if isinstance(max_age, Unset) else max_age,
        options.refused_age if isinstance(refused_age, Unset) else refused_age,
        int(now * 1000),
    )


def reject_empty(name: str, value: object) -> None:
    """Raise `ConfigurationError` for empty text where an id or None is expected."""
    if value == "":
        raise ConfigurationError(f"{name} must not be empty: leave it out or pass None")


def hide_key(api_key: str | ApiKey | None) -> ApiKey | None:
    """A key as an object that shows in no traceback. Never raises.

    A constructor calls it first and deletes its argument, because a traceback may show local
    variables.
    """
    if api_key is None or isinstance(api_key, ApiKey):
        return api_key
    return ApiKey.unchecked(api_key)


def resolve_api_key(provider: Provider, api_key: ApiKey | None) -> ApiKey:
    """The given API key, or that of the environment.

    Raises:
        ConfigurationError: If there is none, or it is malformed.
    """
    key = api_key
    if key is None:
        key = hide_key(from_environment(*provider.key_variables))
    if key is None:
        names = " or ".join(provider.key_variables)
        raise ConfigurationError(f"no API key: pass api_key= or set {names}")
    key.check()
    return key


def auth_scheme(provider: Provider, auth: str | Unset) -> str | None:
    """The name of the given authentication scheme, or of the provider's default, its first one.

    None where there is no such scheme. Never raises, for it may be the key by mistake.
    """
    if isinstance(auth, Unset):
        return next(iter(provider.credentials))
    return next((name for name in provider.credentials if name == auth), None)


def resolve_base_url(provider: Provider, base_url: str | None) -> str:
    """The given base URL, that of the environment, or the provider's own."""
    check_type("base_url", base_url, str | None)
    url = base_url or from_environment(provider.url_variable) or provider.base_url
    if not url:
        raise ConfigurationError(
            f"no base URL: {provider.name} publishes none, so pass base_url= or set "
            f"{provider.url_variable}"
        )
    return url


def make_limiter(
    provider: Provider, rate_limit: RateLimit | Limiter | Unset | None, clock: Clock
) -> Limiter | None:
    """The given limiter, or one for the given rate or for the provider's default rate."""
    if isinstance(rate_limit, Unset):
        rate_limit = provider.rate
    if rate_limit is None:
        return None
    if isinstance(rate_limit, RateLimit):
        return LocalLimiter(rate_limit, clock=clock)
    check_attributes("rate_limit", rate_limit, "a RateLimit, a Limiter or None", "acquire", "hold")
    return adapt(rate_limit)


def make_transport(
    request_builder: RequestBuilder,
    timeout: float | TimeoutLike | None,
    client: HttpClient | None,
    verify: Verify,
) -> Transport:
    """The given transport or HTTP client, or a connection pool."""
    timeouts = _timeouts(timeout)
    if client is None or (isinstance(client, ModuleType) and hasattr(client, "AsyncHTTPTransport")):
        return HttpTransport(request_builder, timeouts or DEFAULT_TIMEOUT, client, verify=verify)
    if verify is not None:
        raise ConfigurationError("verify has no effect beside http_client: pass it to that client")
    if callable(getattr(client, "exchange", None)) and not isinstance(client, type):
        return cast("Transport", client)
    what = "an AsyncClient of httpx or httpx2, or one of these modules"
    check_attributes("http_client", client, what, "build_request", "aclose")
    return ClientTransport(request_builder, timeouts, cast("httpx.AsyncClient", client))


def from_environment(*names: str) -> str | None:
    """The value of the first of these environment variables that is not empty."""
    return next((value for name in names if (value := os.environ.get(name))), None)


def user_agent() -> str:
    """The `User-Agent` header of this library."""
    from .version import __version__

    return f"lix_async/{__version__} python/{sys.version_info[0]}.{sys.version_info[1]}"


def _positive(name: str, seconds: float) -> None:
    if not seconds > 0:
        raise ConfigurationError(f"{name} must be a positive number of seconds: {seconds}")


def _timeouts(timeout: float | TimeoutLike | None) -> dict[str, float | None] | None:
    if timeout is None:
        return None
    if isinstance(timeout, int | float) and not isinstance(timeout, bool):
        _positive("timeout", timeout)
        return dict.fromkeys(("connect", "read", "write", "pool"), float(timeout))
    check_attributes("timeout", timeout, "seconds or an httpx.Timeout", "as_dict")
    return dict(cast("TimeoutLike", timeout).as_dict())
