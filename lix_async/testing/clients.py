"""Clients that talk to a sandbox in the same process, without a socket."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar, cast, overload

from ..engine.client import Client

if TYPE_CHECKING:
    from ..providers.lix.client import AsyncLix
    from ..sandbox import Sandbox

C = TypeVar("C", bound=Client)
ADDRESS = "http://127.0.0.1"


@overload
def memory_client(
    sandbox: Sandbox | None = None, kind: None = None, **options: object
) -> AsyncLix: ...
@overload
def memory_client(sandbox: Sandbox | None, kind: type[C], **options: object) -> C: ...
@overload
def memory_client(sandbox: Sandbox | None = None, *, kind: type[C], **options: object) -> C: ...
def memory_client(
    sandbox: Sandbox | None = None, kind: type[Client] | None = None, **options: object
) -> Client:
    """A client on a sandbox in the same process, without a socket; use it with `async with`.

    `sandbox`: one of your own, to set its world, faults and limits and to read its ledger;
    default a new one without a rate limit. `kind`: which client, any of the five; default
    `AsyncLix`. `options` go to the client; its key is `"sandbox-key"`, its `rate_limit` None and
    its `base_url` where the sandbox plays that provider, unless you give them. Costs nothing.
    Raises `ConfigurationError` for options that the client refuses, and for a client of a
    provider that the sandbox does not play. Needs the extra `lix_async[sandbox]`.
    """
    import httpx

    from ..sandbox import Sandbox, base_url_of

    if kind is None:
        from ..providers.lix.client import AsyncLix

        kind = AsyncLix
    played = sandbox or Sandbox(rate=None)
    transport = httpx.ASGITransport(app=played.app)
    http_client = httpx.AsyncClient(transport=transport, trust_env=False)
    settings = {"api_key": "sandbox-key", "rate_limit": None, **options}
    if "base_url" not in options:
        settings["base_url"] = base_url_of(ADDRESS, kind.provider.name)
    make = cast("Callable[..., Client]", kind)
    return make(**settings, http_client=http_client)
