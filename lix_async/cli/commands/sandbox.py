"""`lix sandbox`: the providers played on this machine."""

from __future__ import annotations

import sys
import textwrap
from collections.abc import Iterator, Sequence
from typing import Annotated, Literal

import anyio
from cyclopts import Parameter

from ...core.errors import ConfigurationError
from ...core.rate_limit import RateLimit
from .. import console
from ..errors import OK, CommandError
from ..options import parsed_rate
from ..providers import provider_of, providers
from ..runtime import clients
from ..runtime.session import run_until_signal

SEARCH = "https://linkedin.com/search/results/people/?keywords=cto"
"""A search that any sandbox answers."""
_WIDTH = 78


def sandbox(
    *,
    port: Annotated[int, Parameter(help="On 127.0.0.1; 0 takes a free one.")] = 8765,
    seed: Annotated[int, Parameter(help="Another number, another invented world.")] = 1,
    people: Annotated[int, Parameter(help="How many people there are to be found.")] = 2000,
    rate: Annotated[
        tuple[str, ...],
        Parameter(
            negative="",
            show_default=False,
            help="Requests per time that Lix allows: 1/3s (its own), 20/s, or none for no limit "
            "anywhere. Of another provider: lookc=2/s. May be given several times.",
        ),
    ] = (),
    envelope: Annotated[
        Literal["flat", "seed", "response"],
        Parameter(help="How searches wrap their rows: as today, or as older documents have it."),
    ] = "flat",
    faults: Annotated[
        Literal["none", "weather", "storm"],
        Parameter(help="How often things go wrong: never, on an ordinary day, on a bad one."),
    ] = "none",
    webhook: Annotated[
        str | None,
        Parameter(help="Where LookC's finished lookups are posted: http on this machine."),
    ] = None,
) -> int:
    """Play the APIs on this machine: invented people, the real rules, no key, no cost.

    Lix, LookC, ConnectSafely, Letrics and Meet Alfred are played on one port, each with its rate
    limit, allowance and credits. Its books and the last requests are shown on a page of its own.
    Ends with Ctrl-C.
    """
    from ...sandbox import Sandbox, running  # and its web server: no other command needs them

    paces = _paces(rate)
    if people < 1:
        raise CommandError("--people must be at least 1")
    try:
        played = Sandbox(
            seed, people, rate=paces, envelope=envelope, faults=faults, webhook=webhook
        )
    except ConfigurationError as error:
        raise CommandError(
            f"--webhook: {error}", hint="write http://127.0.0.1:9000/lookc, or another port"
        ) from None
    try:
        with running(played, port=port) as url:
            announce(url, rate)
            run_until_signal(_serve)
    except KeyboardInterrupt:  # on Windows, where signals are not handled
        pass
    except ConfigurationError as error:
        raise CommandError(str(error)) from None
    except OSError as error:
        raise CommandError(
            f"cannot listen on port {port}: {error.strerror or error}",
            hint="choose another one, or --port 0 for any",
        ) from None
    return OK


def _paces(rates: Sequence[str]) -> dict[str, tuple[int, float] | None]:
    """The rates of the command line by the houses that keep them; the others keep their own."""
    from ...sandbox.providers import houses
    from ...sandbox.server.base_urls import house_of

    paces: dict[str, tuple[int, float] | None] = {}
    for text in sorted(rates, key=lambda text: "=" in text):  # one for all, then exceptions
        name, named, rate = text.rpartition("=")
        pace = _pace(parsed_rate(rate))
        if not named:
            first, *others = (house.name for house in houses())
            paces[first] = pace
            if pace is None:
                paces |= dict.fromkeys(others)
            continue
        try:
            paces[house_of(name).name] = pace
        except ConfigurationError as error:
            raise CommandError(f"--rate {text}: {error}") from None
    return paces


def _pace(rate: RateLimit | None) -> tuple[int, float] | None:
    if rate is None:
        return None
    if rate.requests < 1:
        return 1, rate.per / rate.requests
    return int(rate.requests), rate.per


def announce(url: str, rates: Sequence[str] = ()) -> None:
    """Say where it is, and what to do with it."""
    lines = [f"The sandbox is at {url}", f"Its books: {url}/_sandbox", ""]
    lines += ["In another terminal:", ""]
    first, *others = providers()
    lines += _exports(url, [first])
    if first == "lix":
        bare = next((f" --rate {rate}" for rate in rates if "=" not in rate and rate != "1/3s"), "")
        lines.append(f"  lix person https://www.linkedin.com/in/ada-example{bare}")
        lines.append(f'  lix search people "{SEARCH}"{bare}')
    if others:
        lines += ["", "The other providers are here too; `lix call` lists what they answer:", ""]
        lines += _exports(url, others)
    lines += ["", "Ctrl-C ends it."]
    console.print_line("\n".join(lines))
    sys.stdout.flush()


def _exports(url: str, names: Sequence[str]) -> Iterator[str]:
    """What to set, in lines that can be pasted: addresses first, and keys."""
    from ...sandbox import base_url_of

    words: list[str] = []
    for name in names:
        provider = provider_of(name)
        words.append(f"{provider.url_variable}={base_url_of(url, name)}")
        words.append(f"{provider.key_variables[0]}={clients.SANDBOX_KEY}")
    if len(names) > 1:
        words = [*words[::2], *words[1::2]]
    for line in textwrap.wrap(
        " ".join(words), _WIDTH - len("  export "), break_on_hyphens=False, break_long_words=False
    ):
        yield f"  export {line}"


async def _serve() -> int:
    """Wait for a signal, while the server's own thread answers."""
    await anyio.sleep_forever()
    return OK
