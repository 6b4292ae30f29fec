"""Where each provider is to be found on a running sandbox."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...core.errors import ConfigurationError
from ..providers import providers

if TYPE_CHECKING:
    from ..providers import SandboxProvider


def normalized_name(name: str) -> str:
    """A provider's name as its folder is called: `Meet Alfred` is `meetalfred`."""
    return name.replace(" ", "").lower()


def provider_named(provider: str) -> SandboxProvider:
    """The simulated provider with a name, ignoring case and spaces.

    Raises:
        ConfigurationError: The sandbox has no provider of this name.
    """
    known = {normalized_name(one.name): one for one in providers()}
    if (found := known.get(normalized_name(provider))) is None:
        raise ConfigurationError(
            f"the sandbox plays no provider {provider!r}: there are {', '.join(known)}"
        )
    return found


def base_url_of(url: str, provider: str) -> str:
    """The base URL of a provider on a sandbox: what its client takes as `base_url`.

    `url`: what `running()` gives. `provider`: `lix`, `lookc`, `connectsafely`, `letrics` or
    `meetalfred`. All are played on one port; those whose own base URL has a path have it here too
    (`http://127.0.0.1:8765/linkedin`), so this is more than `url` for them, and `url` itself for
    Lix and LookC. Raises `ConfigurationError` for a provider that is not played.
    """
    return url.rstrip("/") + provider_named(provider).prefix
