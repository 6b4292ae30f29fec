"""What a client is told: each argument checked by its annotation before anything is made of it."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from types import ModuleType
from typing import TYPE_CHECKING, Protocol, TypedDict, cast

import msgspec

from ..concurrency.clock import Clock
from ..core.endpoint import CreditKind
from ..core.errors import ConfigurationError
from ..core.provider import Provider
from ..core.rate_limit import RateLimit
from ..core.retry import RetryPolicy
from ..core.schema_drift import OnDrift
from ..core.validation import check_attributes, check_type
from ..limiters.base import Limiter
from ..limiters.local import LocalLimiter
from .credentials import RequestBuilder
from .transport import CONNECT_TIMEOUT, READ_TIMEOUT, ClientTransport, HttpTransport, Transport

if TYPE_CHECKING:
    import httpx
    import httpx2

    HttpClient = httpx.AsyncClient | httpx2.AsyncClient | ModuleType | Transport


class TimeoutLike(Protocol):
    """httpx.Timeout and httpx2.Timeout."""

    def as_dict(self) -> dict[str, float | None]:
        """Seconds for connect, read, write and pool."""
        ...


class Unset:
    """The argument was not given; None means something for deadline and viewer_id."""


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
    max_credits: int | Mapping[CreditKind, int] | None
    on_drift: OnDrift | None
    clock: Clock | None


class ClientOptions(CommonOptions, total=False):
    """The keyword arguments of `Client`, which the clients of all providers accept."""

    rate_limit: RateLimit | Limiter | Unset | None


class CallOptions(msgspec.Struct, frozen=True):
    """What `with_options` changes: everything about a call that is not shared."""

    retry: RetryPolicy
    deadline: float | None
    defaults: Mapping[str, str] = {}
    """Sent wherever a call takes a param of that name and the caller gave none."""
    names: tuple[str, ...] = ()
    """All params that may have a default. An empty text for one is a slip, not a value."""


def settings(
    retry: RetryPolicy, deadline: float | None, defaults: Mapping[str, str | None]
) -> CallOptions:
    """The settings of a client or view, or `ConfigurationError` naming the argument."""
    check_type("retry", retry, RetryPolicy)
    check_type("deadline", deadline, float | None)
    if deadline is not None:
        _positive("deadline", deadline)
    for name, value in defaults.items():
        check_type(name, value, str | None)
        reject_empty(name, value)
    given = {name: value for name, value in defaults.items() if value is not None}
    return CallOptions(retry, deadline, given, tuple(defaults))


def reject_empty(name: str, value: object) -> None:
    """Raise `ConfigurationError` for an empty text where an id or None belongs."""
    if value == "":
        raise ConfigurationError(f"{name} must not be empty: leave it out, or pass None for none")


def api_key_text(provider: Provider, api_key: str | None) -> str:
    """The key given, or that of the environment."""
    given = api_key if api_key is not None else from_environment(*provider.key_variables)
    if given is None:
        names = " or ".join(provider.key_variables)
        raise ConfigurationError(f"no API key: pass api_key= or set {names}")
    return given


def auth_scheme(provider: Provider, auth: str | Unset) -> str:
    """The name of the scheme given, or of the provider's first one, which is its default."""
    if isinstance(auth, Unset):
        return next(iter(provider.credentials))
    check_type("auth", auth, str)
    if auth not in provider.credentials:
        known = ", ".join(map(repr, provider.credentials))
        raise ConfigurationError(f"auth must be one of {known}, not {auth!r}")
    return auth


def resolve_base_url(provider: Provider, base_url: str | None) -> str:
    """The address given, or that of the environment, or the vendor's."""
    check_type("base_url", base_url, str | None)
    url = base_url or from_environment(provider.url_variable) or provider.base_url
    if not url:
        raise ConfigurationError(
            f"{provider.name} publishes no address: pass base_url= or set {provider.url_variable}"
        )
    return url


def make_limiter(
    provider: Provider, rate_limit: RateLimit | Limiter | Unset | None, clock: Clock
) -> Limiter | None:
    """The limiter given, or one for the rate given, or one for the provider's own rate."""
    if isinstance(rate_limit, Unset):
        rate_limit = provider.rate
    if rate_limit is None:
        return None
    if isinstance(rate_limit, RateLimit):
        return LocalLimiter(rate_limit, clock=clock)
    check_attributes("rate_limit", rate_limit, "a RateLimit, a Limiter or None", "acquire", "hold")
    return rate_limit


def transport(
    door: RequestBuilder, timeout: float | TimeoutLike | None, client: HttpClient | None
) -> Transport:
    """Connections of our own, with the library given or httpx; or the caller's own client."""
    default = {"connect": CONNECT_TIMEOUT, "read": READ_TIMEOUT, "write": 30.0, "pool": None}
    given = _timeouts(timeout)
    if client is None:
        return HttpTransport(door, given or default)
    if isinstance(client, ModuleType) and hasattr(client, "AsyncHTTPTransport"):
        return HttpTransport(door, given or default, client)
    if callable(getattr(client, "exchange", None)) and not isinstance(client, type):
        return cast("Transport", client)
    what = "an AsyncClient of httpx or httpx2, or one of these modules"
    check_attributes("http_client", client, what, "build_request", "aclose")
    return ClientTransport(door, given, cast("httpx.AsyncClient", client))


def from_environment(*names: str) -> str | None:
    """The first of these environment variables that says something."""
    return next((value for name in names if (value := os.environ.get(name))), None)


def user_agent() -> str:
    """How this library names itself to a server."""
    from importlib.metadata import PackageNotFoundError, version  # 10 ms, at the first client

    try:
        release = version("lix_async")
    except PackageNotFoundError:
        release = "source"
    return f"lix_async/{release} python/{sys.version_info[0]}.{sys.version_info[1]}"


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
