"""Lookups in the background with a cache: started once, whoever asks for their result."""

from __future__ import annotations

from pathlib import Path

import anyio
import pytest

from .stub import COMPLETE, DIRECT, ID, LOOKUP, STATUS, WAITING, Wire, client, says

pytestmark = pytest.mark.anyio
EMAIL = "example.person@example.com"
ACCEPTED = says({"request_id": ID}, 202)


async def test_an_answer_that_comes_at_once(tmp_path: Path) -> None:
    wire = Wire(lookup=[DIRECT])
    async with client(wire, cache=tmp_path / "l.db") as lookc:
        for _ in range(2):
            assert (await lookc.person_by_email(EMAIL)).hits
            assert (await lookc.submit(EMAIL)).result is not None
    assert wire.paths == [LOOKUP]


async def test_a_lookup_in_the_background_is_started_once(tmp_path: Path) -> None:
    wire = Wire(lookup=[ACCEPTED], status=[WAITING, WAITING, COMPLETE])
    async with client(wire, cache=tmp_path / "l.db") as lookc:
        assert (await lookc.submit(EMAIL)).request_id == ID
        assert (await lookc.submit(EMAIL)).request_id == ID
        found = await lookc.person_by_email(EMAIL)
        assert found.hits[0].name == "Example Person 1"
        assert lookc.credits.total == 1
    assert wire.paths.count(LOOKUP) == 1
    before = len(wire.paths)
    async with client(wire, cache=tmp_path / "l.db") as lookc:
        assert (await lookc.person_by_email(EMAIL)).hits
        assert wire.paths.count(LOOKUP) == 1
        assert set(wire.paths[before:]) <= {STATUS}
        asked = len(wire.paths)
        assert (await lookc.person_by_email(EMAIL)).hits
        assert len(wire.paths) == asked, "from here on it is in the ledger"
        assert lookc.credits.total == 0


async def test_equal_lookups_in_the_background(tmp_path: Path) -> None:
    wire = Wire(lookup=[ACCEPTED], status=[WAITING, COMPLETE])
    names: list[str | None] = []
    async with client(wire, cache=tmp_path / "l.db") as lookc:

        async def one() -> None:
            names.append((await lookc.person_by_email(EMAIL)).hits[0].name)

        async with anyio.create_task_group() as tasks:
            for _ in range(20):
                tasks.start_soon(one)
    assert names == ["Example Person 1"] * 20
    assert wire.paths.count(LOOKUP) == 1
