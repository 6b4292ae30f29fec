"""`lix sandbox`: the providers' APIs, simulated on this machine."""

from __future__ import annotations

import re
import signal
import sys
import textwrap
import threading
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import Parameter

from ...core.errors import ConfigurationError
from ...core.rate_limit import RateLimit
from .. import console, interrupts
from ..errors import OK, CommandError
from ..providers import SANDBOX_KEY, provider_of, providers
from ..rates import parse_rate

if TYPE_CHECKING:
    from ...sandbox import Sandbox

SEARCH = "https://linkedin.com/search/results/people/?keywords=vp"
"""A search that every sandbox answers, with few pages."""
_WIDTH = 78


def sandbox(
    *,
    port: Annotated[int, Parameter(help="The port on 127.0.0.1; 0 for any free one.")] = 8765,
    seed: Annotated[int, Parameter(help="Another seed gives other made-up data.")] = 1,
    people: Annotated[int, Parameter(help="The number of people in the sandbox.")] = 2000,
    rate: Annotated[
        tuple[str, ...],
        Parameter(
            negative="",
            show_default=False,
            help="Requests per time that Lix allows: 1/3s (its own), 20/s, or none for no limits "
            "at any provider. For another provider: lookc=2/s. May be repeated.",
        ),
    ] = (),
    daily_allowance: Annotated[
        int | None,
        Parameter(help="Requests a day that Lix allows. Default: 10000; none with --rate none."),
    ] = None,
    balance: Annotated[
        tuple[str, ...],
        Parameter(
            negative="",
            show_default=False,
            help="Credits of each kind, or of one, such as standard=100, org=0 or email=10. May be "
            "repeated. Default: 50000 standard, 10000 org, 10000 email.",
        ),
    ] = (),
    envelope: Annotated[
        Literal["flat", "seed", "response"],
        Parameter(help="How searches wrap their rows: as today, or in one of two older ways."),
    ] = "flat",
    faults: Annotated[
        Literal["none", "weather", "storm"],
        Parameter(
            help="How often requests fail: never, as on an ordinary day, or as on a bad day."
        ),
    ] = "none",
    advance: Annotated[
        int,
        Parameter(
            help="The number of days that have passed in the sandbox: people have changed jobs, "
            "titles and links by then."
        ),
    ] = 0,
    webhook: Annotated[
        str | None,
        Parameter(help="The http URL on this machine that receives LookC's finished lookups."),
    ] = None,
) -> int:
    """Simulate the APIs on this machine: made-up people, the real rules, no key, no cost.

    Lix, LookC, ConnectSafely, Letrics and Meet Alfred are simulated on one port, each with its rate
    limits, allowances and credits. A status page shows the charges and the last requests. Press
    Ctrl-C to stop.
    """
    from ...sandbox.server.loading import LoadingSandbox  # late: most commands need no sandbox
    from ...sandbox.server.server import running

    if people < 1:
        raise CommandError(
            "--people must be at least 1", hint="leave it out for a world of 2000 people"
        )
    for text in rate:
        parse_rate(text.rpartition("=")[2])
    allowance = _daily_allowance(daily_allowance, rate)

    def make() -> Sandbox:
        from ...sandbox import Sandbox

        return Sandbox(
            seed,
            people,
            rate=_rate_limits(rate),
            daily_allowance=allowance,
            credits=_balances(balance),
            envelope=envelope,
            faults=faults,
            webhook=webhook,
        )

    # What these say is checked by the parts that loading brings, so they are loaded first.
    checked = webhook is not None or advance or balance or any("=" in text for text in rate)
    simulation = _advanced(make, advance) if checked else LoadingSandbox(make)
    try:
        with running(simulation, port=port) as url:
            announce(url, rate)
            if isinstance(simulation, LoadingSandbox):
                simulation.load()
            else:
                simulation.warm_up()
            _wait_for_signal()
    except KeyboardInterrupt:
        pass
    except ConfigurationError as error:
        raise CommandError(
            str(error), hint="choose another port, or --port 0 for any free one"
        ) from None
    except OSError as error:
        raise CommandError(
            f"cannot listen on port {port}: {error.strerror or error}",
            hint="choose another port, or --port 0 for any free one",
        ) from None
    interrupts.forget()  # it is how the sandbox is ended
    return OK


def _advanced(make: Callable[[], Sandbox], days: int) -> Sandbox:
    try:
        simulation = make()
    except ConfigurationError as error:
        raise CommandError(
            f"--webhook: {error}", hint="use a URL such as http://127.0.0.1:9000/lookc"
        ) from None
    try:
        simulation.advance(days)
    except ValueError as error:
        raise CommandError(
            f"--advance: {error}", hint="give a number of days, such as --advance 90"
        ) from None
    return simulation


def _daily_allowance(given: int | None, rates: Sequence[str]) -> int | None:
    """Requests a day; None for no daily limits, as with `--rate none`."""
    if given is not None and given < 0:
        raise CommandError(
            "--daily-allowance must be at least 0", hint="leave it out for the default"
        )
    if given is None and "none" not in rates:
        return 10_000
    return given


def _balances(texts: Sequence[str]) -> dict[str, int]:
    """The credits by kind: those that were given, else the sandbox's own."""
    from ...sandbox.state.credit_ledger import DEFAULT_CREDITS

    balances = dict(DEFAULT_CREDITS)
    for text in sorted(texts, key=lambda text: "=" in text):  # that of all kinds first
        kind, named, count = text.rpartition("=")
        if (named and kind not in balances) or not re.fullmatch(r"[0-9]{1,15}", count, re.ASCII):
            raise CommandError(
                f"invalid --balance {text!r}: expected a number of credits, "
                "or standard=N, org=N or email=N",
                hint="write --balance 500 or --balance standard=500",
            )
        balances |= dict.fromkeys([kind] if named else balances, int(count))
    return balances


def _rate_limits(rates: Sequence[str]) -> dict[str, tuple[int, float] | None]:
    """The rates by provider name; providers without an entry keep their own."""
    if not rates:
        return {}
    from ...sandbox.providers import providers
    from ...sandbox.server.base_urls import provider_named

    rate_limits: dict[str, tuple[int, float] | None] = {}
    for text in sorted(rates, key=lambda text: "=" in text):  # the rate without a name first
        name, named, rate = text.rpartition("=")
        rate_limit = _rate_limit(parse_rate(rate))
        if not named:
            first, *others = (provider.name for provider in providers())
            rate_limits[first] = rate_limit
            if rate_limit is None:
                rate_limits |= dict.fromkeys(others)
            continue
        try:
            rate_limits[provider_named(name).name] = rate_limit
        except ConfigurationError as error:
            raise CommandError(
                f"--rate {text}: {error}", hint="write NAME=RATE, such as lookc=2/s"
            ) from None
    return rate_limits


def _rate_limit(rate: RateLimit | None) -> tuple[int, float] | None:
    if rate is None:
        return None
    if rate.requests < 1:
        return 1, rate.per / rate.requests
    return int(rate.requests), rate.per


def announce(url: str, rates: Sequence[str] = ()) -> None:
    """Print the sandbox's URL, and how to use it."""
    # At once: what follows needs the providers, and a program may wait for this line.
    console.print_line(f"The sandbox is running at {url}")
    sys.stdout.flush()
    lines = [f"Status page: {url}/_sandbox", "", "In another terminal:", ""]
    first, *others = providers()
    lines += _exports(url, [first])
    if first == "lix":
        rate_option = next(
            (f" --rate {rate}" for rate in rates if "=" not in rate and rate != "1/3s"), ""
        )
        lines.append(f"  lix person https://www.linkedin.com/in/ada-example{rate_option}")
        lines.append(f'  lix search people "{SEARCH}"{rate_option}')
    if others:
        lines += [
            "",
            "The other providers are available too; `lix call` lists their endpoints:",
            "",
        ]
        lines += _exports(url, others)
    lines += ["", "Press Ctrl-C to stop."]
    console.print_line("\n".join(lines))
    sys.stdout.flush()


def _exports(url: str, names: Sequence[str]) -> Iterator[str]:
    """The variables to set as lines to paste: addresses first, then keys."""
    from ...sandbox import base_url_of

    words: list[str] = []
    for name in names:
        provider = provider_of(name)
        words.append(f"{provider.url_variable}={base_url_of(url, name)}")
        words.append(f"{provider.key_variables[0]}={SANDBOX_KEY}")
    if len(names) > 1:
        words = [*words[::2], *words[1::2]]
    for line in textwrap.wrap(
        " ".join(words), _WIDTH - len("  export "), break_on_hyphens=False, break_long_words=False
    ):
        yield f"  export {line}"


def _wait_for_signal() -> None:
    """Wait for SIGTERM or Ctrl-C, while the server's own thread answers."""
    stopped = threading.Event()

    def stop(number: int, frame: object) -> None:
        stopped.set()

    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, stop)
    if not interrupts.received():
        stopped.wait()
