"""`lix person`, `lix org` and `lix email`: one link in, one record out."""

from __future__ import annotations

import re
from typing import Annotated

from cyclopts import Parameter

from .. import console
from ..errors import OK, CommandError
from ..input.targets import LOOKUPS, LookupKind, LookupTarget, command_for, look_up, parse_target
from ..options import (
    CONNECTION_DEFAULTS,
    ROW_DEFAULTS,
    ConnectionOptions,
    RowOutputOptions,
    parsed_columns,
)
from ..output.columns import check_columns
from ..output.destination import writes_to_screen
from ..output.schema import RowSchema
from ..output.single import deliver
from ..runtime.progress import ProgressCounts
from ..runtime.session import CommandSession, run_command
from ..text import one_line, plural

_NAME = re.compile(r"[\w-]{2,}")
_FOLDERS = {"person": "in", "org": "company", "email": "in"}
_EXPECTED = {
    "person": "a profile link (https://www.linkedin.com/in/NAME) or an e-mail address",
    "org": "a company link (https://www.linkedin.com/company/NAME)",
    "email": "a profile link (https://www.linkedin.com/in/NAME)",
}


def person(
    link: Annotated[
        str,
        Parameter(help="https://www.linkedin.com/in/NAME, a Sales Navigator lead, or an address."),
    ],
    /,
    *,
    output: RowOutputOptions = ROW_DEFAULTS,
    connection: ConnectionOptions = CONNECTION_DEFAULTS,
) -> int:
    """One person's profile, by link or by e-mail address.

    One standard credit.
    """
    return _look_up("person", link, output, connection)


def org(
    link: Annotated[
        str,
        Parameter(help="https://www.linkedin.com/company/NAME, or a Sales Navigator account."),
    ],
    /,
    *,
    output: RowOutputOptions = ROW_DEFAULTS,
    connection: ConnectionOptions = CONNECTION_DEFAULTS,
) -> int:
    """One organisation, by its LinkedIn or Sales Navigator page.

    One org credit.
    """
    return _look_up("org", link, output, connection)


def email(
    link: Annotated[str, Parameter(help="https://www.linkedin.com/in/NAME")],
    /,
    *,
    output: RowOutputOptions = ROW_DEFAULTS,
    connection: ConnectionOptions = CONNECTION_DEFAULTS,
) -> int:
    """The e-mail address of a LinkedIn profile.

    One email credit if the address is VALID, else nothing. PROBABLE may become VALID when asked
    for again.
    """
    return _look_up("email", link, output, connection)


def _look_up(
    kind: LookupKind, link: str, output: RowOutputOptions, connection: ConnectionOptions
) -> int:
    wanted = _wanted(kind, link)
    check_columns(parsed_columns(output.columns), RowSchema(LOOKUPS[kind].endpoint.result))

    async def work(session: CommandSession) -> int:
        answer = await look_up(session.lix, kind, wanted)
        session.progress.stop()
        deliver(answer.body, LOOKUPS[kind].endpoint.result, output)
        if not output.quiet and output.out is not None:
            cost = f"{answer.credits} {plural(answer.credits, 'credit')}"
            console.print_note(f"in {output.out}, {cost}")
        return OK

    return run_command(
        work, connection, ProgressCounts(""), quiet=output.quiet, live=not writes_to_screen(output)
    )


def _wanted(kind: LookupKind, link: str) -> LookupTarget:
    found, given = parse_target(link), link.strip()
    if found is not None and found.kind in LOOKUPS[kind].accepts:
        return found
    right = command_for(given)
    if right is not None and right != f'{kind} "URL"':
        raise CommandError(f"this link is not for `lix {kind}`", hint=f"try: lix {right}")
    named = f"https://www.linkedin.com/{_FOLDERS[kind]}/{given}"
    hint = f"did you mean {named} ?" if _NAME.fullmatch(given) else ""
    raise CommandError(f"expected {_EXPECTED[kind]}, not {one_line(given, 80)!r}", hint=hint)
