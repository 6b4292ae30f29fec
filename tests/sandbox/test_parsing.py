"""Whatever a client writes, for any row of any table, the sandbox reads back as the same params."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC
from typing import Any, Literal, get_args, get_origin
from urllib.parse import parse_qsl, unquote, urlsplit

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lix_async.cli.providers import all_endpoints, provider_name
from lix_async.core import wire
from lix_async.core.endpoint import Endpoint
from lix_async.core.errors import ConfigurationError
from lix_async.core.models import Params
from lix_async.providers.letrics.endpoints import Arrays, PersonalEmailField, customised
from lix_async.sandbox import Sandbox
from lix_async.sandbox.protocol.errors import ErrorReply
from lix_async.sandbox.protocol.parsing import read
from lix_async.sandbox.protocol.requests import IncomingRequest
from lix_async.sandbox.protocol.responses import JSON
from lix_async.sandbox.providers import houses

SANDBOX = Sandbox(people=30, organisations=5)
KNOWN = {id_: params for one in houses() for id_, params in one.examples(SANDBOX.world).items()}
RENAMED = {slot: name for one in houses() for slot, name in one.renamed.items()}


def queries() -> Iterator[Any]:
    """Letrics' rows as GET, in each of the three spellings."""
    for arrays in get_args(Arrays):
        for field in get_args(PersonalEmailField):
            made = customised({}, "GET", field, arrays)
            yield from (made.contacts, made.companies)


ROWS: list[Any] = [*all_endpoints().values(), *queries()]
TEXT = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=12) | st.sampled_from(
    ["null", "true", "7", "a&b=c", "é %2F+", "[]", "a[]=1", "\u2028", " "]
)


def values(kind: object, joined: bool) -> st.SearchStrategy[Any] | None:
    """Values of a param of a simple type; None where only the example will do."""
    kinds = [one for one in get_args(kind) or (kind,) if one is not type(None)]
    if get_origin(kind) is Literal:
        return st.sampled_from(get_args(kind))
    if get_origin(kind) in (tuple, list, dict):
        kinds = [kind]
    origin, inside = get_origin(kinds[0]), get_args(kinds[0])
    if kinds == [str]:
        return TEXT
    if kinds == [bool]:
        return st.booleans()
    if kinds == [int]:
        return st.integers(-3, 10**9)
    if origin in (tuple, list) and inside[0] is str:
        items = TEXT.filter(lambda text: not joined or "," not in text)
        return st.lists(items, min_size=1, max_size=3).map(origin)
    if origin is dict:
        return st.dictionaries(TEXT.map("csv_{}".format), TEXT, min_size=1, max_size=3)
    if getattr(kinds[0], "__name__", "") == "datetime":
        return st.datetimes(timezones=st.just(UTC))
    return None


@st.composite
def asked(draw: st.DrawFn, row: Any) -> Params:
    """Params that the client would send: the known example, with whatever `check` lets pass."""
    example = KNOWN.get(row.id) or KNOWN.get(row.id.rpartition(".")[0]) or {}
    names = {*row.params.__struct_encode_fields__}
    params: Params = msgspec.convert({k: v for k, v in example.items() if k in names}, row.params)
    for field in msgspec.structs.fields(row.params):
        drawn = values(field.type, row.arrays == "joined" and field.name not in row.body)
        if drawn is None or not draw(st.booleans()):
            continue
        changed = msgspec.structs.replace(params, **{field.name: draw(drawn)})
        try:
            changed.check()
            wire.encode(row, changed)
        except ConfigurationError:
            continue
        params = changed
    return params


def arrival(row: Any, sent: wire.HttpRequest) -> IncomingRequest:
    parts = urlsplit(sent.target)
    slots = re.findall(r"\{(\w+)\}", row.path)
    pattern = re.sub(r"\\\{\w+\\\}", "([^/]+)", re.escape(row.path))
    found = re.fullmatch(pattern, parts.path)
    assert found is not None
    return IncomingRequest(
        row,
        sent.method,
        parts.path,
        path_params={
            RENAMED.get(slot, slot): unquote(text)
            for slot, text in zip(slots, found.groups(), strict=True)
        },
        query=parse_qsl(parts.query, keep_blank_values=True),
        headers={"content-type": sent.content_type},
        body=sent.body or b"",
    )


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row.id}-{row.method}-{row.arrays}")
@settings(max_examples=10, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_what_a_client_writes_is_read_back(
    row: Endpoint[Params, object], data: st.DataObject
) -> None:
    params = data.draw(asked(row))
    came = arrival(row, wire.encode(row, params))
    assert wire.read(row, came.path_params, came.query, came.body) == params
    given_ = {name: getattr(params, name) for name in params.__struct_fields__}
    there = {name: value for name, value in given_.items() if value is not None}
    there.pop("sequence_id", None)  # the caller's own only, which has tests of its own
    heard = dict(read(row, came, ()).values)
    heard.pop("sequence_id", None)
    assert heard == there


def test_every_provider_has_rows_here() -> None:
    assert {provider_name(row.id) for row in ROWS} == {
        "lix",
        "lookc",
        "connectsafely",
        "letrics",
        "meetalfred",
    }


@pytest.mark.parametrize(("name", "said"), [("industries", ""), ("page", "null"), ("page", "")])
def test_nothing_where_a_list_or_a_number_belongs_is_refused(name: str, said: str) -> None:
    row: Any = customised({}, "GET", "has_personal_emails", "joined").companies
    with pytest.raises(ErrorReply, match=f"{name} is no number, no flag and no list"):
        read(row, IncomingRequest(row, "GET", row.path, query=[(name, said)]), ())
    query = [("industries", "null")]
    assert read(row, IncomingRequest(row, "GET", row.path, query=query), ()).rows("industries") == [
        "null"
    ]


def test_a_body_of_another_type_is_refused() -> None:
    row: Any = all_endpoints()["letrics.companies"]
    for kind in ("", "text/plain"):
        came = IncomingRequest(row, "POST", row.path, headers={"content-type": kind}, body=b"{}")
        with pytest.raises(ErrorReply, match=JSON):
            read(row, came, ())
