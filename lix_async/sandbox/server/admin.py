"""What the sandbox shows of itself under `/_sandbox`: a status page, its books, its faults."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict
from html import escape
from typing import TYPE_CHECKING

import msgspec

from ..faults.schedule import FAULTS, PRESETS
from ..openapi import document
from ..protocol.errors import ErrorReply, params_invalid, unknown_route
from ..protocol.responses import SandboxResponse, error_response, json_response, response

if TYPE_CHECKING:
    from ..protocol.requests import IncomingRequest
    from .asgi import SandboxApi

_STYLE = """body{font:15px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem}
table{border-collapse:collapse;margin:1rem 0}
td,th{padding:.2rem .8rem;border:1px solid #ccc;text-align:left}
code{background:#f3f3f3;padding:0 .2rem}"""


class FaultChange(msgspec.Struct, forbid_unknown_fields=True):
    """What `POST /_sandbox/faults` takes: faults for the next requests, or another schedule."""

    next: list[str] = []
    rates: dict[str, float] | None = None
    preset: str | None = None
    seed: int | None = None


def _table(head: tuple[str, ...], rows: list[tuple[object, ...]]) -> str:
    def line(cells: tuple[object, ...], tag: str) -> str:
        return "<tr>" + "".join(f"<{tag}>{escape(str(cell))}</{tag}>" for cell in cells) + "</tr>"

    return "<table>" + line(head, "th") + "".join(line(row, "td") for row in rows) + "</table>"


def status_page(sandbox: SandboxApi) -> str:
    """The status page: balances, the last requests, links to try, and the faults there are."""
    world, spent = sandbox.world, sandbox.ledger.totals()
    credits_ = [(kind, left, spent[kind]) for kind, left in sandbox.ledger.balances.items()]
    last = [
        (one.number, one.method, one.path, one.status, one.kind or "", one.fault or "", one.charged)
        for one in sandbox.requests[-20:][::-1]
    ]
    calls = [
        (provider.name, row.method, provider.full_path(row, row.path), example.get(row.id, {}))
        for provider in sandbox.providers
        for example in (provider.examples(world),)
        for row in provider.endpoints
    ]
    sent = [(one.endpoint, one.viewer, one.target, one.text) for one in sandbox.sent[-10:]]
    parts = [
        "<!doctype html><html lang=en><head><meta charset=utf-8><title>lix_async sandbox</title>",
        f"<style>{_STYLE}</style></head><body><h1>lix_async sandbox</h1>",
        f"<p>Seed {world.seed}: {world.people} invented people, ",
        f"{len(world.companies.listed)} companies. Nobody in here is real.</p>",
        "<h2>Credits</h2>",
        _table(("kind", "left", "spent"), [*credits_]),
        "<h2>Try</h2>",
        _table(
            ("what", "value"),
            [
                ("a person", world.person(0).link),
                ("a company", world.companies.at(0).link),
                ("a viewer_id", ", ".join(world.viewers[:4])),
            ],
        ),
        "<details><summary>Calls to try, see also /openapi.json</summary>",
        _table(("provider", "method", "path", "params"), [*calls]),
        "</details>",
        f"<h2>Last requests (of {len(sandbox.requests)})</h2>",
        _table(("number", "method", "path", "status", "refusal", "fault", "credits"), [*last]),
        "<h2>Sent</h2>",
        _table(("endpoint", "viewer", "to", "text"), [*sent]),
        "<h2>Faults</h2><p>Ask for one by the header <code>X-Sandbox-Fault</code>. Schedules: ",
        f"{escape(', '.join(PRESETS))}.</p>",
        _table(
            ("name", "what happens"), [(name, kind.description) for name, kind in FAULTS.items()]
        ),
        "</body></html>",
    ]
    return "".join(parts)


def _page(sandbox: SandboxApi, arrival: IncomingRequest) -> SandboxResponse:
    return response(200, status_page(sandbox).encode(), "text/html; charset=utf-8")


def _greeting(sandbox: SandboxApi, arrival: IncomingRequest) -> SandboxResponse:
    return json_response(
        {
            "sandbox": "lix_async",
            "invented": True,
            "status": "/_sandbox",
            "openapi": "/openapi.json",
        }
    )


def _ledger(sandbox: SandboxApi, arrival: IncomingRequest) -> SandboxResponse:
    ledger = sandbox.ledger
    charges = [asdict(charge) for charge in ledger.charges]
    return json_response(
        {"balances": ledger.balances, "totals": ledger.totals(), "charges": charges}
    )


def _requests(sandbox: SandboxApi, arrival: IncomingRequest) -> SandboxResponse:
    return json_response({"requests": [asdict(fact) for fact in sandbox.requests]})


def _openapi(sandbox: SandboxApi, arrival: IncomingRequest) -> SandboxResponse:
    return json_response(document(sandbox.providers, sandbox.world, sandbox.closed))


def _reset(sandbox: SandboxApi, arrival: IncomingRequest) -> SandboxResponse:
    sandbox.reset()
    return json_response({"reset": True})


def _faults(sandbox: SandboxApi, arrival: IncomingRequest) -> SandboxResponse:
    try:
        change = msgspec.json.decode(arrival.body, type=FaultChange)
        if change.preset is not None and change.preset not in PRESETS:
            raise ValueError(f"unknown preset {change.preset!r}")
        rates = change.rates if change.preset is None else PRESETS[change.preset]
        if rates is not None or change.seed is not None:
            sandbox.faults.change(sandbox.faults.rates if rates is None else rates, change.seed)
        sandbox.faults.force(*change.next)
    except ValueError as error:
        raise params_invalid(str(error)) from None
    return json_response(
        {"next": change.next, "rates": sandbox.faults.rates, "seed": sandbox.faults.seed}
    )


AdminPage = Callable[["SandboxApi", "IncomingRequest"], SandboxResponse]


def _only(
    method: str, page: AdminPage
) -> Callable[[SandboxApi], Callable[[IncomingRequest], SandboxResponse]]:
    def bind(sandbox: SandboxApi) -> Callable[[IncomingRequest], SandboxResponse]:
        def handle(arrival: IncomingRequest) -> SandboxResponse:
            try:
                if arrival.method != method:
                    raise unknown_route()
                return page(sandbox, arrival)
            except ErrorReply as refusal:
                return error_response(refusal)

        return handle

    return bind


PAGES: Mapping[str, Callable[[SandboxApi], Callable[[IncomingRequest], SandboxResponse]]] = {
    "/": _only("GET", _greeting),
    "/openapi.json": _only("GET", _openapi),
    "/_sandbox": _only("GET", _page),
    "/_sandbox/ledger": _only("GET", _ledger),
    "/_sandbox/requests": _only("GET", _requests),
    "/_sandbox/reset": _only("POST", _reset),
    "/_sandbox/faults": _only("POST", _faults),
}
"""The sandbox's own paths. None of them needs a key, counts as a request, or costs anything."""
