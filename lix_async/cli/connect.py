"""From options to a client: the key, the address, the pace."""

from __future__ import annotations

import os
import sys

from ..core.errors import ConfigurationError
from ..core.provider import address
from ..core.retry import RetryPolicy
from ..providers.lix.client import AsyncLix
from ..providers.lix.provider import LIX
from .errors import CommandError, no_key
from .options import Connection, parsed_rate
from .watch import Patience, Pauses, Turns, Watch

SANDBOX_KEY = "sandbox-key"
"""What a sandbox on this machine is shown when there is no other key; it takes any."""


def base_url(connection: Connection) -> str:
    """Where calls go: the option, the environment, the provider's own address."""
    return connection.base_url or os.environ.get(LIX.url_variable) or LIX.base_url


def key_for(connection: Connection, url: str) -> str:
    """The key to use. It is read here and handed to the client, and kept nowhere else."""
    if connection.api_key_stdin:
        key = sys.stdin.readline().strip()
        if not key:
            raise CommandError("--api-key-stdin: stdin holds no key", code=no_key().code)
        return key
    if key := os.environ.get(LIX.key_variables[0], "").strip():
        return key
    if address(url).loopback:
        return SANDBOX_KEY
    raise no_key()


def client(connection: Connection, watch: Watch) -> AsyncLix:
    """A client whose waiting can be watched and stopped."""
    return patient_client(connection, watch, RetryPolicy())


def patient_client(
    connection: Connection, watch: Watch, retry: RetryPolicy, key: str | None = None
) -> AsyncLix:
    """The same, with a patience and perhaps a key of the command's own."""
    url = base_url(connection)
    patience = {name: getattr(retry, name) for name in RetryPolicy.__struct_fields__}
    try:
        return AsyncLix(
            key or key_for(connection, url),
            auth=connection.auth,
            base_url=url,
            viewer_id=connection.viewer,
            rate_limit=Turns(parsed_rate(connection.rate), watch),
            retry=Patience(**patience, watch=watch),
            deadline=connection.deadline,
            max_credits=connection.max_credits,
            clock=Pauses(watch),
        )
    except ConfigurationError as error:
        raise CommandError(str(error)) from None
