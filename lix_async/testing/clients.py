"""Clients of a sandbox in the same process, without a network connection."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar, cast, overload

from ..engine.client import Client

if TYPE_CHECKING:
    from ..providers.lix.client import AsyncLix
    from ..sandbox import Sandbox
    from ..sync import SyncClient

C = TypeVar("C", bound="Client | SyncClient[Client]")
ORIGIN = "http://127.0.0.1"


@overload
def memory_client(
    sandbox: Sandbox | None = None, kind: None = None, **options: object
) -> AsyncLix: ...
@overload
def memory_client(sandbox: Sandbox | None, kind: type[C], **options: object) -> C: ...
@overload
def memory_client(sandbox: Sandbox | None = None, *, kind: type[C], **options: object) -> C: ...
def memory_client(
    sandbox: Sandbox | None = None, kind: type[C] | None = None, **options: object
) -> C | AsyncLix:
    """A client of a sandbox in the same process.

    Calls cost nothing.

    Args:
        sandbox: Your own sandbox, to set its data, faults and limits and to read its credit ledger;
            default a new one without a rate limit.
        kind: The class of the client, async or not; default `AsyncLix`.
        **options: Arguments of the client. Unless given, its key is `"sandbox-key"`, its
            `rate_limit` is None and its `base_url` is that of the provider in the sandbox.

    Raises:
        ConfigurationError: An option is not valid, or the sandbox does not simulate the provider.

    Example:
        ```python
        async with memory_client() as lix:
            person = await lix.people.get("https://www.linkedin.com/in/example-person-1")
        ```
    """
    import httpx

    from ..sandbox import Sandbox, base_url_of

    make = cast("type[C] | type[AsyncLix] | None", kind)
    if make is None:
        from ..providers.lix.client import AsyncLix

        make = AsyncLix
    simulated = sandbox or Sandbox(rate=None)
    transport = httpx.ASGITransport(app=simulated.app)
    http_client = httpx.AsyncClient(transport=transport, trust_env=False)
    settings = {"api_key": "sandbox-key", "rate_limit": None, **options}
    if "base_url" not in options:
        settings["base_url"] = base_url_of(ORIGIN, make.provider.name)
    return cast("Callable[..., C | AsyncLix]", make)(**settings, http_client=http_client)
