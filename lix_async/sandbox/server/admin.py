"""The sandbox's own pages: status, charges, requests, faults, time and the OpenAPI document."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict
from functools import partial
from html import escape
from pathlib import Path
from string import Template

import msgspec

from ..faults.schedule import FAULTS, PRESETS
from ..protocol.errors import ErrorReply, params_invalid
from ..protocol.requests import IncomingRequest
from ..protocol.responses import SandboxResponse, error_response, json_response, response
from .asgi import Handler, SandboxApi, root_page


class FaultChange(msgspec.Struct, forbid_unknown_fields=True):
    """The body of `POST /_sandbox/faults`: faults of the next requests, or another schedule."""

    next: list[str] = []
    rates: dict[str, float] | None = None
    preset: str | None = None
    seed: int | None = None


class TimeChange(msgspec.Struct, forbid_unknown_fields=True):
    """The body of `POST /_sandbox/advance`: how many days pass in the world."""

    days: int


def _table(head: Iterable[object], body: Iterable[Iterable[object]]) -> str:
    def line(cells: Iterable[object], tag: str) -> str:
        return "<tr>" + "".join(f"<{tag}>{escape(str(cell))}</{tag}>" for cell in cells) + "</tr>"

    return "<table>" + line(head, "th") + "".join(line(cells, "td") for cells in body) + "</table>"


def status_page(sandbox: SandboxApi) -> str:
    """The status page: balances, the last requests, examples, and all faults."""
    world, spent = sandbox.world, sandbox.ledger.totals()
    balances = [(kind, left, spent[kind]) for kind, left in sandbox.ledger.balances.items()]
    last = [
        (one.number, one.method, one.path, one.status, one.kind or "", one.fault or "", one.charged)
        for one in sandbox.requests[-20:][::-1]
    ]
    calls = [
        (
            provider.name,
            endpoint.method,
            provider.full_path(endpoint, endpoint.path),
            examples.get(endpoint.id, {}),
        )
        for provider in sandbox.providers
        for examples in (provider.examples(world),)
        for endpoint in provider.endpoints
    ]
    samples = [
        ("a person", world.person(0).link),
        ("a company", world.companies.at(0).link),
        ("a viewer_id", ", ".join(world.viewers[:4])),
    ]
    sent = [(one.endpoint, one.viewer, one.target, one.text) for one in sandbox.sent[-10:]]
    faults = [(name, kind.description) for name, kind in FAULTS.items()]
    page = Template(Path(__file__).with_name("status.html").read_text("utf-8"))
    return page.substitute(
        seed=world.seed,
        date=world.date,
        people=world.people,
        companies=len(world.companies.listed),
        credits=_table(("kind", "left", "spent"), balances),
        samples=_table(("what", "value"), samples),
        examples=_table(("provider", "method", "path", "params"), calls),
        count=len(sandbox.requests),
        requests=_table(("number", "method", "path", "status", "error", "fault", "credits"), last),
        sent=_table(("endpoint", "viewer", "to", "text"), sent),
        presets=escape(", ".join(PRESETS)),
        faults=_table(("name", "what happens"), faults),
    )


def _status(sandbox: SandboxApi, request: IncomingRequest) -> SandboxResponse:
    return response(200, status_page(sandbox).encode(), "text/html; charset=utf-8")


def _root(sandbox: SandboxApi, request: IncomingRequest) -> SandboxResponse:
    return root_page(request)


def _ledger(sandbox: SandboxApi, request: IncomingRequest) -> SandboxResponse:
    ledger = sandbox.ledger
    charges = [asdict(charge) for charge in ledger.charges]
    return json_response(
        {"balances": ledger.balances, "totals": ledger.totals(), "charges": charges}
    )


def _requests(sandbox: SandboxApi, request: IncomingRequest) -> SandboxResponse:
    return json_response({"requests": [asdict(record) for record in sandbox.requests]})


def _openapi(sandbox: SandboxApi, request: IncomingRequest) -> SandboxResponse:
    from ..openapi import document  # late: few ask for it

    return json_response(document(sandbox.providers, sandbox.world, sandbox.closed))


def _reset(sandbox: SandboxApi, request: IncomingRequest) -> SandboxResponse:
    sandbox.reset()
    return json_response({"reset": True})


def _advance(sandbox: SandboxApi, request: IncomingRequest) -> SandboxResponse:
    since = sandbox.world.day
    try:
        sandbox.advance(msgspec.json.decode(request.body, type=TimeChange).days)
    except ValueError as error:
        raise params_invalid(str(error)) from None
    return _changes_since(sandbox, since)


def _changes(sandbox: SandboxApi, request: IncomingRequest) -> SandboxResponse:
    since = dict(request.query).get("since", "0")
    if not re.fullmatch(r"[0-9]{1,9}", since):
        raise params_invalid("since must be a day, counted from the first day of the world")
    return _changes_since(sandbox, int(since))


def _changes_since(sandbox: SandboxApi, since: int) -> SandboxResponse:
    world = sandbox.world
    changes = [asdict(change) | {"date": change.date} for change in world.changes(since)]
    return json_response({"day": world.day, "date": world.date, "changes": changes})


def _faults(sandbox: SandboxApi, request: IncomingRequest) -> SandboxResponse:
    try:
        change = msgspec.json.decode(request.body, type=FaultChange)
        if change.preset is not None and change.preset not in PRESETS:
            expected = ", ".join(PRESETS)
            raise ValueError(f"unknown preset {change.preset!r}: expected one of {expected}")
        rates = change.rates if change.preset is None else PRESETS[change.preset]
        if rates is not None or change.seed is not None:
            sandbox.faults.change(sandbox.faults.rates if rates is None else rates, change.seed)
        sandbox.faults.force(*change.next)
    except ValueError as error:
        raise params_invalid(str(error)) from None
    return json_response(
        {"next": change.next, "rates": sandbox.faults.rates, "seed": sandbox.faults.seed}
    )


AdminPage = Callable[[SandboxApi, IncomingRequest], SandboxResponse]
ADMIN_PAGES: Mapping[str, tuple[str, AdminPage]] = {
    "/": ("GET", _root),
    "/openapi.json": ("GET", _openapi),
    "/_sandbox": ("GET", _status),
    "/_sandbox/ledger": ("GET", _ledger),
    "/_sandbox/requests": ("GET", _requests),
    "/_sandbox/changes": ("GET", _changes),
    "/_sandbox/reset": ("POST", _reset),
    "/_sandbox/advance": ("POST", _advance),
    "/_sandbox/faults": ("POST", _faults),
}
"""Method and page by path. They need no API key, are not recorded and cost nothing."""


def admin_pages(sandbox: SandboxApi) -> dict[str, Handler]:
    """The handlers of `ADMIN_PAGES` for a sandbox, by path; `/_sandbox/` stands for all others."""
    pages: dict[str, Handler] = {"/_sandbox/": _unknown}
    for path, (method, page) in ADMIN_PAGES.items():
        pages[path] = partial(_handle, sandbox, method, page)
    return pages


def _unknown(request: IncomingRequest) -> SandboxResponse:
    pages = ", ".join(f"{method} {path}" for path, (method, _) in ADMIN_PAGES.items())
    return error_response(ErrorReply(404, "unknown_route", f"the sandbox has the pages {pages}"))


def _handle(
    sandbox: SandboxApi, method: str, page: AdminPage, request: IncomingRequest
) -> SandboxResponse:
    try:
        if request.method != method:
            return _unknown(request)
        return page(sandbox, request)
    except ErrorReply as error:
        return error_response(error)
