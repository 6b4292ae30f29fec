"""The base URLs of the providers on a running sandbox."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...core.errors import ConfigurationError
from ..providers import providers

if TYPE_CHECKING:
    from ..providers import SandboxProvider


def normalized_name(name: str) -> str:
    """A provider's name as its package is named: `meetalfred` for `Meet Alfred`."""
    return name.replace(" ", "").lower()


def provider_named(name: str) -> SandboxProvider:
    """The simulated provider with a name, ignoring case and spaces.

    Raises:
        ConfigurationError: The sandbox has no provider with this name.
    """
    known = {normalized_name(one.name): one for one in providers()}
    if (found := known.get(normalized_name(name))) is None:
        raise ConfigurationError(
            f"the sandbox does not simulate {name!r}: expected one of {', '.join(known)}"
        )
    return found


def base_url_of(url: str, provider: str) -> str:
    """The base URL of a provider on a sandbox, for the `base_url` of its client.

    All providers share one port. Those whose own base URL has a path have it here too
    (`http://127.0.0.1:8765/linkedin`); for Lix and LookC, the result is `url` itself.

    Args:
        url: The URL that `running()` returns.
        provider: `lix`, `lookc`, `connectsafely`, `letrics` or `meetalfred`.

    Raises:
        ConfigurationError: The sandbox has no provider with this name.
    """
    return url.rstrip("/") + provider_named(provider).prefix
