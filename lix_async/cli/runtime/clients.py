"""Clients from the connection options: the key, the base URL, the rate."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Literal, cast

from ...core.errors import ConfigurationError
from ...core.provider import Provider, parse_base_url
from ...core.retry import RetryPolicy
from ...engine.client import Client
from ...limiters.base import Limiter
from ..errors import CommandError, missing_key_error
from ..options import CONNECTION_DEFAULTS, ConnectionOptions
from ..providers import SANDBOX_KEY, client_class, provider_name, provider_of
from ..rates import parse_rate
from .activity import ActivityMonitor, monitored

if TYPE_CHECKING:
    from ...providers.lix.client import AsyncLix

RETRY_POLICY = RetryPolicy()
"""The default retry policy of commands."""


def base_url(connection: ConnectionOptions, provider: Provider | None = None) -> str:
    """The base URL: from the option, the environment, or the provider. Default: Lix."""
    provider = provider or provider_of("lix")
    return connection.base_url or os.environ.get(provider.url_variable) or provider.base_url


def key_for(connection: ConnectionOptions, url: str, provider: Provider | None = None) -> str:
    """The API key, read from stdin or from the environment.

    Raises:
        CommandError: There is no key.
    """
    provider = provider or provider_of("lix")
    if connection.key:
        return connection.key
    if connection.api_key_stdin:
        key = sys.stdin.readline().strip()
        if not key:
            raise CommandError(
                "--api-key-stdin: stdin is empty",
                hint="pipe the key in, such as from a password manager",
                code=missing_key_error().code,
            )
        return key
    for variable in provider.key_variables:
        if key := os.environ.get(variable, "").strip():
            return key
    if url and parse_base_url(url).loopback:
        return SANDBOX_KEY
    raise missing_key_error(provider.key_variables[0])


def uses_sandbox(connection: ConnectionOptions) -> bool:
    """Whether a sandbox answers: at an address of this machine, or with a sandbox's key."""
    provider, url = provider_of("lix"), base_url(connection)
    keys = [os.environ.get(variable, "").strip() for variable in provider.key_variables]
    return SANDBOX_KEY in keys or bool(url and parse_base_url(url).loopback)


def lix_client(
    connection: ConnectionOptions,
    monitor: ActivityMonitor,
    *,
    retry: RetryPolicy = RETRY_POLICY,
    key: str | None = None,
    limiter: Limiter | None = None,
    ledger: str = "",
    doubts: Literal["hold", "retry"] = "retry",
) -> AsyncLix:
    """A client of Lix whose waits can be monitored and stopped.

    Args:
        connection: The connection options.
        monitor: The monitor.
        retry: The retry policy.
        key: A key instead of the user's.
        limiter: A limiter instead of one for `--rate`.
        ledger: The ledger that is asked first; empty for none.
        doubts: What becomes of lookups in doubt that the ledger has.

    Raises:
        CommandError: There is no key, or an option is invalid.
    """
    return cast(
        "AsyncLix", _client("lix", connection, monitor, retry, key, limiter, ledger, doubts)
    )


def client_factory(endpoint: str) -> Callable[[ConnectionOptions, ActivityMonitor], AsyncLix]:
    """A function that makes the client for an endpoint's provider."""
    name = provider_name(endpoint)
    if name == "lix":
        return lix_client
    # `lix call` uses only what all clients have in common.
    return lambda connection, monitor: cast("AsyncLix", _client(name, connection, monitor))


def _client(
    name: str,
    connection: ConnectionOptions,
    monitor: ActivityMonitor,
    retry: RetryPolicy = RETRY_POLICY,
    key: str | None = None,
    limiter: Limiter | None = None,
    ledger: str = "",
    doubts: Literal["hold", "retry"] = "retry",
) -> Client:
    provider = provider_of(name)
    url = base_url(connection, provider)
    for option in ("max_credits", "confirm_above"):
        if (getattr(connection, option) or 0) < 0:
            raise CommandError(
                f"--{option.replace('_', '-')} must not be negative",
                hint="leave it out for the default",
            )
    # The defaults of --rate and --auth are those of Lix; other providers have their own.
    is_default = connection.rate == CONNECTION_DEFAULTS.rate
    rate = provider.rate if is_default else parse_rate(connection.rate)
    options: dict[str, object] = {
        "rate_limit": limiter or rate,
        "retry": retry,
        "deadline": connection.deadline,
        "max_credits": connection.max_credits,
        "clock": monitor.clock,
    }
    if ledger:
        options |= {"cache": ledger, "doubts": doubts}
    if name == "lix":
        options["viewer_id"] = connection.viewer
    if connection.ca_file is not None:
        options["verify"] = connection.ca_file
    if url:
        options["base_url"] = url
    if connection.auth != CONNECTION_DEFAULTS.auth:
        options["auth"] = connection.auth
    construct = cast("Callable[..., Client]", client_class(name))
    try:
        client = construct(key or key_for(connection, url, provider), **options)
    except ConfigurationError as error:
        raise CommandError(
            str(error), hint="check the connection options, and the variables of the provider"
        ) from None
    monitor.rate = getattr(client.engine.limiter, "rate", None)
    return monitored(client, monitor)
