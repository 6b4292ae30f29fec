"""`lix person`, `lix org` and `lix email`: look up one link."""

from __future__ import annotations

import re
from functools import partial
from typing import Annotated

from cyclopts import Parameter

from .. import console
from ..costs import priced
from ..errors import OK, CommandError
from ..input.lookup_kinds import LookupKind
from ..input.targets import LOOKUPS, LookupTarget, command_for, look_up, parse_target, parse_website
from ..ledger.address import check_output_conflicts, default_address
from ..options import (
    CONNECTION_DEFAULTS,
    ROW_DEFAULTS,
    ConnectionOptions,
    RowOutputOptions,
)
from ..output.destination import output_path, place_of, writes_to_screen
from ..output.single import check_answer_columns, check_answer_output, write_answer
from ..runtime.clients import lix_client
from ..runtime.progress import ProgressCounts
from ..runtime.session import CommandSession, run_command
from ..text import counted, one_line

LookupStoreOption = Annotated[
    str | None,
    Parameter(
        name="--store",
        help="The ledger, which is asked first and records the lookup, or none. Default: "
        "LIX_STORE, else your personal ledger; for a sandbox none.",
    ),
]
_NAME = re.compile(r"[\w-]{2,}")
_PATHS = {"person": "in", "org": "company", "email": "in"}
_EXPECTED = {
    "person": "a profile link (https://www.linkedin.com/in/NAME) or an e-mail address",
    "org": "a company link (https://www.linkedin.com/company/NAME)",
    "email": "a profile link (https://www.linkedin.com/in/NAME)",
}


def person(
    link: Annotated[
        str,
        Parameter(
            help="https://www.linkedin.com/in/NAME, a Sales Navigator lead, or an e-mail address."
        ),
    ],
    /,
    *,
    store: LookupStoreOption = None,
    output: RowOutputOptions = ROW_DEFAULTS,
    connection: ConnectionOptions = CONNECTION_DEFAULTS,
) -> int:
    """Look up a person by profile link or e-mail address.

    One standard credit.
    """
    return _run_lookup("person", link, store, output, connection)


def org(
    link: Annotated[
        str,
        Parameter(help="https://www.linkedin.com/company/NAME, or a Sales Navigator account."),
    ],
    /,
    *,
    store: LookupStoreOption = None,
    output: RowOutputOptions = ROW_DEFAULTS,
    connection: ConnectionOptions = CONNECTION_DEFAULTS,
) -> int:
    """Look up an organisation by its LinkedIn or Sales Navigator page.

    One org credit.
    """
    return _run_lookup("org", link, store, output, connection)


def email(
    link: Annotated[str, Parameter(help="https://www.linkedin.com/in/NAME")],
    /,
    *,
    store: LookupStoreOption = None,
    output: RowOutputOptions = ROW_DEFAULTS,
    connection: ConnectionOptions = CONNECTION_DEFAULTS,
) -> int:
    """Find the e-mail address of a LinkedIn profile.

    One email credit if the address is VALID, otherwise free. A PROBABLE address may become VALID
    when it is looked up again.
    """
    return _run_lookup("email", link, store, output, connection)


def _run_lookup(
    kind: LookupKind,
    link: str,
    store: str | None,
    output: RowOutputOptions,
    connection: ConnectionOptions,
) -> int:
    address = default_address(store, connection)
    if address:
        check_output_conflicts(output_path(output), address)
    target = _parse_argument(kind, link)
    check_answer_columns(output, LOOKUPS[kind].endpoint.result)
    check_answer_output(output)

    async def work(session: CommandSession) -> int:
        answer = await priced(
            partial(look_up, session.lix, kind, target),
            *(LOOKUPS[kind].endpoint.credits, connection, session),
            quiet=output.quiet,
        )
        session.progress.stop()
        write_answer(answer.body, LOOKUPS[kind].endpoint.result, output)
        place = output_path(output)
        if address:
            what = f"lix {kind} {target.text}"
            await session.lix.cache.store.add_export(place_of(place), what)
        cost = counted(answer.credits, "credit")
        if answer.cached:
            cost = "from the ledger"
            if answer.bought_at is not None:
                cost += f", bought on {answer.bought_at.date().isoformat()}"
        if not output.quiet:
            console.print_note(cost if place is None else f"written to {place}, {cost}")
        return OK

    return run_command(
        work,
        connection,
        ProgressCounts(""),
        quiet=output.quiet,
        live=not writes_to_screen(output),
        make_client=partial(lix_client, ledger=address),
    )


def _parse_argument(kind: LookupKind, link: str) -> LookupTarget:
    target, text = parse_target(link), link.strip()
    if target is not None and target.kind in LOOKUPS[kind].accepts:
        return target
    right = command_for(text)
    if right is not None and right != f'{kind} "URL"':
        raise CommandError(f"this link is not for `lix {kind}`", hint=f"try: lix {right}")
    url = f"https://www.linkedin.com/{_PATHS[kind]}/{text}"
    hint = "copy it from the browser's address bar, and put it in quotes"
    if _NAME.fullmatch(text):
        hint = f"did you mean {url}?"
    elif kind == "org" and parse_website(text) is not None:
        hint = "for the companies of websites: lix enrich FILE --as website"
    raise CommandError(f"expected {_EXPECTED[kind]}, not {one_line(text, 80)!r}", hint=hint)
