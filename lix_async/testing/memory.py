"""Clients that talk to a sandbox in the same process, without a socket."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar, cast, overload

from ..engine.client import Client
from ..providers.lix.client import AsyncLix

if TYPE_CHECKING:
    from ..sandbox import Sandbox

C = TypeVar("C", bound=Client)
ADDRESS = "http://127.0.0.1"


@overload
def memory_client(
    sandbox: Sandbox | None = None, kind: type[AsyncLix] = AsyncLix, **options: object
) -> AsyncLix: ...
@overload
def memory_client(sandbox: Sandbox | None, kind: type[C], **options: object) -> C: ...
def memory_client(
    sandbox: Sandbox | None = None, kind: type[Client] = AsyncLix, **options: object
) -> Client:
    """A client on a sandbox in the same process, without a socket; use it with `async with`.

    `sandbox`: one of your own, to set its world, faults and limits and to read its ledger;
    default a new one without a rate limit. `kind`: which client, default `AsyncLix`. `options`
    go to the client; its key is `"sandbox-key"` and its `rate_limit` None unless you give them.
    Needs the extra `lix_async[sandbox]`.
    """
    import httpx

    from ..sandbox import Sandbox

    played = sandbox or Sandbox(rate=None)
    transport = httpx.ASGITransport(app=played.app)
    http_client = httpx.AsyncClient(transport=transport, trust_env=False)
    given = {"api_key": "sandbox-key", "rate_limit": None, "base_url": ADDRESS, **options}
    make = cast("Callable[..., Client]", kind)
    return make(**given, http_client=http_client)
