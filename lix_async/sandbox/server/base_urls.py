"""The base URLs of the providers on a running sandbox."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...core.errors import ConfigurationError
from ...core.installed_providers import providers as installed_providers
from ..providers import PREFIXES, providers

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
    plain = _known_name(name)
    return next(one for one in providers() if normalized_name(one.name) == plain)


def _known_name(name: str) -> str:
    if (plain := normalized_name(name)) not in installed_providers():
        expected = ", ".join(installed_providers())
        raise ConfigurationError(
            f"the sandbox does not simulate {name!r}: expected one of {expected}"
        )
    return plain


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
    return url.rstrip("/") + PREFIXES.get(_known_name(provider), "")
