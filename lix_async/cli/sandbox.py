"""`lix sandbox`: the provider played on this machine."""

from __future__ import annotations

import signal
import sys
from typing import Annotated, Literal

import anyio
from cyclopts import Parameter

from ..core.errors import ConfigurationError
from . import connect, screen
from .errors import OK, CommandError
from .options import parsed_rate

SEARCH = "https://www.linkedin.com/search/results/people/?keywords=cto"
"""A search that any sandbox answers."""


def sandbox(
    *,
    port: Annotated[int, Parameter(help="On 127.0.0.1; 0 takes a free one.")] = 8765,
    seed: Annotated[int, Parameter(help="Another number, another invented world.")] = 1,
    people: Annotated[int, Parameter(help="How many people there are to be found.")] = 2000,
    rate: Annotated[
        str, Parameter(help="Requests per time that it allows: 1/3s, 20/s, or none.")
    ] = "1/3s",
    envelope: Annotated[
        Literal["flat", "seed", "response"],
        Parameter(help="How searches wrap their rows: as today, or as older documents have it."),
    ] = "flat",
    faults: Annotated[
        Literal["none", "weather", "storm"],
        Parameter(help="How often things go wrong: never, on an ordinary day, on a bad one."),
    ] = "none",
) -> int:
    """Play the API on this machine: invented people, the real rules, no key, no cost.

    It keeps the provider's rate limit, allowance and credits, and shows its books and its last
    requests on a page of its own. Ends with Ctrl-C.
    """
    from ..sandbox import Sandbox, running  # and its web server: no other command needs them

    allowed = parsed_rate(rate)
    if people < 1:
        raise CommandError("--people must be at least 1")
    pace = None if allowed is None else (max(int(allowed.requests), 1), allowed.per)
    played = Sandbox(seed, people, rate=pace, envelope=envelope, faults=faults)
    try:
        with running(played, port=port) as url:
            announce(url, rate)
            anyio.run(_until_stopped)
    except KeyboardInterrupt:
        pass
    except ConfigurationError as error:
        raise CommandError(str(error)) from None
    except OSError as error:
        raise CommandError(
            f"cannot listen on port {port}: {error.strerror or error}",
            hint="choose another one, or --port 0 for any",
        ) from None
    return OK


def announce(url: str, rate: str) -> None:
    """Say where it is, and what to do with it."""
    pace = "" if rate == "1/3s" else f" --rate {rate}"
    lines = (
        f"The sandbox is at {url} (its books: {url}/_sandbox)",
        "",
        "In another terminal:",
        "",
        f"  export LIX_BASE_URL={url} LIX_API_KEY={connect.SANDBOX_KEY}",
        f"  lix person https://www.linkedin.com/in/ada-example{pace}",
        f'  lix search people "{SEARCH}"{pace}',
        "",
        "Ctrl-C ends it.",
    )
    screen.out("\n".join(lines))
    sys.stdout.flush()


async def _until_stopped() -> None:
    if sys.platform == "win32":  # there Ctrl-C raises KeyboardInterrupt
        await anyio.sleep_forever()
    with anyio.open_signal_receiver(signal.SIGINT, signal.SIGTERM) as signals:
        async for _ in signals:
            return
