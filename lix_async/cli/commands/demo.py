"""`lix demo`: a whole run in a few seconds, without a key."""

from __future__ import annotations

from typing import Annotated

from cyclopts import Parameter

from .errors import CommandError


def demo(
    *,
    people: Annotated[int, Parameter(help="How many people the search finds, 1 to 1000.")] = 400,
    seed: Annotated[int, Parameter(help="Another number, other people and other faults.")] = 5,
) -> int:
    """See everything at work in a quarter of a minute: no key, no account, no network.

    Starts a sandbox on this machine, walks a search of several hundred invented people, and looks
    up fifty of them, while requests are refused, lookups queued, and connections lost.
    """
    if not 1 <= people <= 1000:
        raise CommandError("--people must be from 1 to 1000: LinkedIn shows no more of a search")
    from .demonstration import play  # the sandbox and its web server: no other command needs them

    return play(people, seed)
