"""Bodies of complete answers that no client expects: each is paid for once, and none is lost.

`LIX_BODIES` says how many random ones are tried (`nox -s campaign`: 100,000).
"""

from __future__ import annotations

import json
import os
import tempfile
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

import anyio
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sample_provider import reply

from lix_async import bulk
from lix_async.core.wire import HttpRequest

from .test_admission import Vendor, drained

READS = [
    b"\xef\xbb\xbf" + b'{"id": "a"}',
    b' \r\n\t{"id": "a"}\n\n',
    b'{"id": "\\ud83d"}',
    b'{"id": "\\ude00\\ud83d"}',
    b'{"id": "\xff\xfe"}',
    b'{"id": "\xed\xa0\xbd"}',
    b'{"id": "a\x00b"}',
    b'{"id": "a\nb"}',
    b'{"id": "\\u0000"}',
    b'{"size": NaN}',
    b'{"size": -Infinity}',
    b'{"size": 1e400}',
    b'{"size": null, "other": 1e400}',
    b'{"other": %s}' % (b"9" * 5000),
    b'{"id": "a", "id": "b"}',
    b'{"id": null}',
    b"{}",
    b'{"": ""}',
    b'{"size": "many"}',
    b'{"size": 1.5}',
    '{"id": "a"}'.encode("utf-16"),
    b'{"id": "a", "error": null}',
    b'{"id": "a", "error": ""}',
    b'{"id": "a", "error": "partly"}',
    b'{"other": %s1%s}' % (b"[" * 200, b"]" * 200),
    b'{"id": "%s"}' % (b"x" * 100_000),
]
"""Those that are an answer, some of them only to a tolerant reader."""
DOES_NOT_READ = [
    b'{"id": {}}',
    b'{"id": "a"',
    b'{"id": "a"} {"id": "b"}',
    b'{"id": "a"}<!-- 12 ms -->',
    b"{'id': 'a'}",
    b'{"id": "a",}',
    b"{",
    b"[",
    b"[]",
    b'[{"id": "a"}]',
    b'{"other": %s}' % (b"[" * 100_000),
]
"""Charged, and unusable."""
IS_NOT_JSON = [
    b"",
    b" ",
    b"null",
    b"true",
    b"12",
    b'"ok"',
    b"ok",
    b"<html>",
    b"\x00",
    b"\x1f\x8b\x08",
]
"""Of unknown origin."""
BODIES = [*READS, *DOES_NOT_READ, *IS_NOT_JSON]


def served(bodies: Sequence[bytes], asked: Counter[int]) -> Vendor:
    """A client of a vendor that answers the input `n` with the body of that number."""

    def answer(outgoing: HttpRequest) -> Any:
        number = int(outgoing.target.rsplit("/", 1)[-1])
        asked[number] += 1
        return reply(200, bodies[number])

    return Vendor(answer)


async def states(
    path: Path, client: Vendor, count: int, doubts: Literal["hold", "retry"] = "hold"
) -> list[bulk.Outcome[Any]]:
    names = [str(number) for number in range(count)]
    found = await drained(bulk.Run(path, client.get, names, doubts=doubts, outage_patience=None))
    return sorted(found, key=lambda outcome: int(outcome.input))


@pytest.mark.anyio
@pytest.mark.parametrize("doubts", ["hold", "retry"])
async def test_an_odd_body_is_asked_for_once(
    tmp_path: Path, doubts: Literal["hold", "retry"]
) -> None:
    asked: Counter[int] = Counter()
    client = served(BODIES, asked)
    want = [
        "done" if body in READS else "kept" if body in DOES_NOT_READ else "in_doubt"
        for body in BODIES
    ]
    for run in (1, 2, 3):
        found = await states(tmp_path / "l.db", client, len(BODIES), doubts)
        differ = {BODIES[n][:40]: one.state for n, one in enumerate(found) if one.state != want[n]}
        assert differ == {}
        for number, (outcome, body) in enumerate(zip(found, BODIES, strict=True)):
            again = run if doubts == "retry" and want[number] == "in_doubt" else 1
            assert asked[number] == again, body[:40]
            if want[number] != "in_doubt":
                assert outcome.body == body
    assert client.credits.total + client.credits.lost == 2 * asked.total()


@pytest.mark.anyio
async def test_an_outcome_tells_that_its_body_was_repaired(tmp_path: Path) -> None:
    client = served([*READS[:8], b"["], Counter())
    for _ in range(2):  # bought, and known
        found = await states(tmp_path / "l.db", client, 9)
        says = [one.repaired for one in found]
        assert says == [True, False, True, True, True, True, True, True, False]


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=5,
)
objects = st.fixed_dictionaries({}, optional={"id": values, "size": values, "error": values})
texts = objects.map(lambda value: json.dumps(value).encode("utf-8", "surrogatepass"))


@st.composite
def changed(draw: st.DrawFn) -> bytes:
    """An object with bytes cut out and others put in."""
    body = draw(texts)
    at, until = sorted(draw(st.tuples(*[st.integers(0, len(body))] * 2)))
    return body[:at] + draw(st.binary(max_size=3)) + body[until:]


MANY = 50


@settings(max_examples=max(int(os.environ.get("LIX_BODIES", "200")) // MANY, 1))
@given(st.lists(st.one_of(changed(), texts, st.binary(max_size=20)), min_size=MANY, max_size=MANY))
def test_any_body_ends_somewhere_and_is_asked_for_once(bodies: list[bytes]) -> None:
    asked: Counter[int] = Counter()

    async def main(path: Path) -> None:
        client = served(bodies, asked)
        first, second = [await states(path, client, len(bodies)) for _ in range(2)]
        assert [one.state for one in first] == [one.state for one in second]
        # Where the body is an error of the vendor's own, it may also be one of these.
        assert {one.state for one in first} <= {"done", "kept", "in_doubt", "refused"}
        assert set(asked.values()) == {1}
        kept = {"done", "kept"}
        assert all(one.body == bodies[n] for n, one in enumerate(second) if one.state in kept)

    with tempfile.TemporaryDirectory() as folder:
        anyio.run(main, Path(folder) / "l.db")
