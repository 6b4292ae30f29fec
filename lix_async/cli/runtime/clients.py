"""From options to a client: the key, the address, the pace."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, cast

from ...core.errors import ConfigurationError
from ...core.provider import Provider, parse_base_url
from ...core.retry import RetryPolicy
from ...engine.client import Client
from ..errors import CommandError, no_key
from ..options import CONNECTION_DEFAULTS, ConnectionOptions, parsed_rate
from ..providers import client_of, provider_name, provider_of
from .activity import ActivityMonitor, MonitoredClock, MonitoredLimiter, MonitoredRetryPolicy

if TYPE_CHECKING:
    from ...providers.lix.client import AsyncLix

SANDBOX_KEY = "sandbox-key"
"""What a sandbox on this machine is shown when there is no other key; it takes any."""


def base_url(connection: ConnectionOptions, provider: Provider | None = None) -> str:
    """Where calls go: the option, the environment, the provider's own address. Default: Lix."""
    provider = provider or provider_of("lix")
    return connection.base_url or os.environ.get(provider.url_variable) or provider.base_url


def key_for(connection: ConnectionOptions, url: str, provider: Provider | None = None) -> str:
    """The key to use. It is read here and handed to the client, and kept nowhere else."""
    provider = provider or provider_of("lix")
    if connection.api_key_stdin:
        key = sys.stdin.readline().strip()
        if not key:
            raise CommandError("--api-key-stdin: stdin holds no key", code=no_key().code)
        return key
    for variable in provider.key_variables:
        if key := os.environ.get(variable, "").strip():
            return key
    if url and parse_base_url(url).loopback:
        return SANDBOX_KEY
    raise no_key(provider.key_variables[0])


def client(connection: ConnectionOptions, watch: ActivityMonitor) -> AsyncLix:
    """A client whose waiting can be watched and stopped."""
    return client_with_retry(connection, watch, RetryPolicy())


def client_factory(endpoint: str) -> Callable[[ConnectionOptions, ActivityMonitor], AsyncLix]:
    """How to make the client of an endpoint's own provider."""
    if provider_name(endpoint) == "lix":
        return client
    kind = client_of(endpoint)

    def make(connection: ConnectionOptions, watch: ActivityMonitor) -> AsyncLix:
        provider = kind.provider
        url = base_url(connection, provider)
        # The default of --rate and --auth is Lix's; the others have their own.
        unasked = connection.rate == CONNECTION_DEFAULTS.rate
        rate = provider.rate if unasked else parsed_rate(connection.rate)
        options: dict[str, object] = {
            "rate_limit": MonitoredLimiter(rate, watch),
            "retry": MonitoredRetryPolicy(**_patience(RetryPolicy()), watch=watch),
            "deadline": connection.deadline,
            "max_credits": connection.max_credits,
            "clock": MonitoredClock(watch),
        }
        if url:
            options["base_url"] = url
        if connection.auth != CONNECTION_DEFAULTS.auth:
            options["auth"] = connection.auth
        construct = cast("Callable[..., Client]", kind)
        try:
            made = construct(key_for(connection, url, provider), **options)
        except ConfigurationError as error:
            raise CommandError(str(error)) from None
        return cast("AsyncLix", made)  # a call uses only what all clients have in common

    return make


def client_with_retry(
    connection: ConnectionOptions,
    watch: ActivityMonitor,
    retry: RetryPolicy,
    key: str | None = None,
) -> AsyncLix:
    """The same, with a patience and perhaps a key of the command's own."""
    from ...providers.lix.client import AsyncLix

    url = base_url(connection)
    try:
        return AsyncLix(
            key or key_for(connection, url),
            auth=connection.auth,
            base_url=url,
            viewer_id=connection.viewer,
            rate_limit=MonitoredLimiter(parsed_rate(connection.rate), watch),
            retry=MonitoredRetryPolicy(**_patience(retry), watch=watch),
            deadline=connection.deadline,
            max_credits=connection.max_credits,
            clock=MonitoredClock(watch),
        )
    except ConfigurationError as error:
        raise CommandError(str(error)) from None


def _patience(retry: RetryPolicy) -> dict[str, Any]:
    return {name: getattr(retry, name) for name in RetryPolicy.__struct_fields__}
