"""Lookups in the background in bulk: charged once, their status asked for, also after a restart."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import anyio
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from lix_async import bulk
from lix_async.bulk.prepared_call import CallPreparer
from lix_async.core.errors import DecodeError, NotFoundError, RefusalError
from lix_async.core.retry import RetryPolicy
from lix_async.ledger.families import judgement
from lix_async.ledger.records import Judge, LookupSpec, Receive, Send
from lix_async.providers.lookc.models import PersonByEmail

from .stub import (
    COMPLETE,
    DIRECT,
    ID,
    LOOKUP,
    LOST,
    PENDING,
    STATUS,
    WAITING,
    Stopwatch,
    Wire,
    client,
    says,
)

pytestmark = pytest.mark.anyio
EMAIL = "example.person@example.com"
ACCEPTED = says({"request_id": ID}, 202)
QUEUED = says({"error": {"type": "queued"}, "request_id": ID}, 202)
FAILED = says({"status": "failed"})


async def outcomes(wire: Wire, ledger: Path, **options: Any) -> list[bulk.Outcome[PersonByEmail]]:
    """The outcomes of one run, each by a client of its own, as in a new process."""
    async with client(wire, retry=RetryPolicy(attempts=2)) as lookc:
        return [one async for one in bulk.Run(ledger, lookc.person_by_email, [EMAIL], **options)]


@pytest.mark.parametrize(
    "first",
    [ACCEPTED, QUEUED, says(PENDING), says({"data": {"requestId": ID}}), says({"id": ID}, 202)],
)
async def test_a_run_asks_for_the_status_until_it_has_the_result(
    tmp_path: Path, first: Any
) -> None:
    wire = Wire(lookup=[first], status=[WAITING, says({}), COMPLETE])
    (outcome,) = await outcomes(wire, tmp_path / "l.db")
    assert wire.paths == [LOOKUP, STATUS, STATUS, STATUS]
    assert all(query == {"request_id": ID} for _, query in wire.asked[1:])
    (again,) = await outcomes(wire, tmp_path / "l.db")
    assert (outcome.credits, again.credits) == (1, 0)
    for one in (outcome, again):
        assert (one.state, type(one.value)) == ("done", PersonByEmail)
        assert one.value is not None
        assert one.value.hits[0].name == "Example Person 1"
    assert len(wire.asked) == 4
    async with bulk.SqliteStore(tmp_path / "l.db") as store:
        counts = await store.counts()
    assert (counts.done, counts.credits, counts.maybe) == (1, 1, 0)


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    said=st.lists(
        st.sampled_from(
            [
                WAITING,
                LOST,
                says(b"<html>"),
                says(b"<html>", 502),
                says(None),
                says([]),
                says({"error": {"type": "queued"}}),
                says({"error": {"type": "api_error"}}, 500),
                says(b"", 429),
                says(b"", 401),
                says({"error": {"type": "daily_limit"}}, 429),
            ]
        ),
        max_size=12,
    )
)
@example([says({"error": {"type": "queued"}}), WAITING])
def test_whatever_the_status_says_the_lookup_is_started_once(
    tmp_path_factory: pytest.TempPathFactory, said: list[Any]
) -> None:
    ledger = tmp_path_factory.mktemp("run") / "l.db"
    wire = Wire(lookup=[ACCEPTED], status=[*said, COMPLETE])

    async def work() -> None:
        for _ in range(2 * len(said) + 2):
            try:
                (outcome,) = await outcomes(wire, ledger)
            except RefusalError:
                continue
            assert outcome.state in ("done", "failed", "queued")
            if outcome.state == "done":
                break
        assert outcome.value is not None
        assert outcome.value.hits
        assert wire.paths.count(LOOKUP) == 1

    anyio.run(work)


async def test_a_lookup_in_doubt_while_its_status_was_asked_for_is_asked_for_again(
    tmp_path: Path,
) -> None:
    async def crash(_: object) -> Any:
        raise RuntimeError("the process ends")

    wire = Wire(lookup=[ACCEPTED], status=[crash])
    with pytest.raises(RuntimeError):
        await outcomes(wire, tmp_path / "l.db")
    wire._answers[STATUS] = [COMPLETE]
    (outcome,) = await outcomes(wire, tmp_path / "l.db", doubts="hold")
    assert (outcome.state, wire.paths.count(LOOKUP)) == ("done", 1)


@pytest.mark.parametrize(
    ("answer", "error"),
    [(FAILED, RefusalError), (says({"error": {"type": "unknown_record"}}, 404), NotFoundError)],
)
async def test_a_lookup_that_ends_without_a_result_is_refused(
    tmp_path: Path, answer: Any, error: type[Exception]
) -> None:
    wire = Wire(lookup=[ACCEPTED, answer], status=[answer])
    (outcome,) = await outcomes(wire, tmp_path / "l.db")
    assert outcome.state == "refused"
    assert type(outcome.error) is error
    assert ID in str(outcome.error) or answer is not FAILED
    async with bulk.SqliteStore(tmp_path / "l.db") as store:
        assert [entry.status async for entry in store.entries()] == ["refused"]


async def test_an_answer_without_an_id_is_kept(tmp_path: Path) -> None:
    wire = Wire(lookup=[says({"status": "accepted"}, 202)])
    for _ in range(2):
        (outcome,) = await outcomes(wire, tmp_path / "l.db")
        assert (outcome.state, type(outcome.error)) == ("kept", DecodeError)
    assert wire.paths == [LOOKUP]


async def test_a_ledger_in_which_the_pending_answer_is_taken_for_the_result(tmp_path: Path) -> None:
    wire = Wire(lookup=[DIRECT], status=[WAITING, LOST, COMPLETE])
    async with bulk.SqliteStore(tmp_path / "l.db") as store:
        call = CallPreparer(client(wire).person_by_email).call(EMAIL)
        sent, lookup = await store.announce(
            LookupSpec(call.key, call.row.id, b'"x"'), Send(0, 0, 1, store.now, kind="org")
        )
        mine = (lookup.id, sent.owner, 1)
        await store.apply(Receive(*mine, page=0, http=202, body=ACCEPTED.body, now=store.now))
        await store.apply(Judge(*mine, judgement("answer", 1), now=store.now, family="answer"))
    for _ in range(2):
        (outcome,) = await outcomes(wire, tmp_path / "l.db")
        assert outcome.value is not None
        assert outcome.value.hits
    assert LOOKUP not in wire.paths


async def test_map_waits_for_the_result(tmp_path: Path) -> None:
    wire = Wire(lookup=[ACCEPTED], status=[WAITING, COMPLETE])
    async with client(wire) as lookc:
        (outcome,) = [one async for one in bulk.map(lookc.person_by_email, [EMAIL])]
        assert (outcome.state, type(outcome.value), outcome.credits) == ("done", PersonByEmail, 1)
        wire._answers[STATUS] = [FAILED]
        (outcome,) = [one async for one in bulk.map(lookc.person_by_email, [EMAIL])]
        assert outcome.state == "refused"
        wire._answers[LOOKUP] = [says({"request_id": ID, "status": "failed"})]
        (outcome,) = [one async for one in bulk.map(lookc.person_by_email, [EMAIL])]
        assert outcome.state == "refused"


async def test_a_chunk_leaves_it_queued_and_the_next_one_has_the_result(tmp_path: Path) -> None:
    wire = Wire(lookup=[ACCEPTED], status=[COMPLETE])
    async with client(wire) as lookc, bulk.SqliteStore(tmp_path / "l.db") as store:
        (outcome,) = await bulk.chunk(store, lookc.person_by_email, [EMAIL])
        assert (outcome.state, outcome.credits) == ("queued", 1)
        await lookc.clock.sleep(outcome.due - lookc.clock.wall())
        (outcome,) = await bulk.chunk(store, lookc.person_by_email, [EMAIL])
    assert outcome.state == "done"
    assert wire.paths == [LOOKUP, STATUS]


async def test_a_lookup_that_has_ended_begins_anew_when_it_is_bought_again(tmp_path: Path) -> None:
    """Its old request holds the old result."""
    wire = Wire(lookup=[ACCEPTED], status=[WAITING, COMPLETE])
    (first,) = await outcomes(wire, tmp_path / "l.db")
    wire, clock = Wire(lookup=[DIRECT]), Stopwatch()
    clock.time = 3600.0
    async with client(wire, clock=clock) as lookc:
        run = bulk.Run(tmp_path / "l.db", lookc.person_by_email, [EMAIL], max_age=60)
        (second,) = [one async for one in run]
    assert (first.state, second.state, second.cached) == ("done", "done", False)
    assert wire.paths == [LOOKUP]
