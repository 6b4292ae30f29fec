"""The log: loggers, levels and messages, and `LIX_LOG`."""

from __future__ import annotations

import contextvars
import json
import logging
import os
import subprocess
import sys

import pytest
from sample_provider import LOST, THING, SampleClient, ThingParams, refused, reply

from lix_async import RateLimit, RetryPolicy
from lix_async.core.errors import ConfigurationError, LixError
from lix_async.engine.event_log import log_event
from lix_async.events import (
    AttemptEnded,
    CacheHit,
    CallEnded,
    CallOutcome,
    Event,
    OutcomeReady,
    RunEnded,
    RunParked,
    RunResumed,
    RunStarted,
    WaitReason,
    WaitStarted,
)

ONE = ThingParams(id="1")
FINE = reply(200, {"id": "a"})
Logged = tuple[str, int, str]


def logged(caplog: pytest.LogCaptureFixture) -> list[Logged]:
    found = [(one.name, one.levelno, one.getMessage()) for one in caplog.records]
    caplog.clear()
    return found


def lines(caplog: pytest.LogCaptureFixture, *events: Event) -> list[Logged]:
    contextvars.copy_context().run(lambda: [log_event(event) for event in events])
    return logged(caplog)


@pytest.mark.anyio
async def test_a_call_with_a_retry_at_info(caplog: pytest.LogCaptureFixture):
    caplog.set_level(logging.INFO)
    client = SampleClient(refused(429, "rate_limit"), FINE, rate_limit=RateLimit(1, per=3.0))
    await client.send(THING, ONE)
    assert logged(caplog) == [
        ("lix_async.calls", logging.INFO, "thing.get: waits 3.0 s (held by 429)"),
        (
            "lix_async.calls",
            logging.INFO,
            "thing.get: ok after 2 attempts, 3.1 s of which 3.1 waiting, 2 credits",
        ),
    ]
    await client.send(THING, ONE)
    assert logged(caplog) == []  # nothing happened that anybody has to know


@pytest.mark.anyio
async def test_a_call_at_debug(caplog: pytest.LogCaptureFixture):
    caplog.set_level(logging.DEBUG)
    client = SampleClient(LOST, FINE, rate_limit=RateLimit(1, per=3.0))
    await client.send(THING, ONE)
    assert [(level, text) for _, level, text in logged(caplog)] == [
        (logging.DEBUG, "thing.get: GET /v1/things/{id}"),
        (logging.DEBUG, "thing.get: waits 0.0 s (for a permit)"),
        (logging.DEBUG, "thing.get: attempt 1: sent"),
        (logging.DEBUG, "thing.get: attempt 1: TransportError in 0.000 s"),
        (logging.DEBUG, "thing.get: waits 0.0 s (before a retry)"),
        (logging.DEBUG, "thing.get: waits 3.1 s (for a permit)"),
        (logging.DEBUG, "thing.get: attempt 2: sent"),
        (logging.DEBUG, "thing.get: attempt 2: 200 in 0.000 s"),
        (logging.INFO, "thing.get: ok after 2 attempts, 3.1 s of which 3.1 waiting, 2 credits"),
    ]


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("answer", "level", "text"),
    [
        (reply(503), logging.WARNING, "thing.get: ServerError after 2 attempts"),
        (LOST, logging.WARNING, "thing.get: TransportError after 2 attempts, 2 without an answer"),
        (reply(401), logging.ERROR, "thing.get: AuthenticationError after 1 attempt"),
        (reply(402), logging.ERROR, "thing.get: QuotaExceededError after 1 attempt"),
    ],
    ids=["503", "lost", "401", "402"],
)
async def test_an_error_is_logged_without_a_listener_and_with_any_level(
    caplog: pytest.LogCaptureFixture, answer: object, level: int, text: str
):
    client = SampleClient(answer, retry=RetryPolicy(attempts=2))  # type: ignore[arg-type]
    with pytest.raises(LixError):
        await client.send(THING, ONE)
    assert logged(caplog) == [("lix_async.calls", level, text)]


@pytest.mark.anyio
async def test_the_limiter_says_for_how_long_it_gives_no_permits(caplog: pytest.LogCaptureFixture):
    caplog.set_level(logging.DEBUG, "lix_async.limiter")
    client = SampleClient(refused(429, "rate_limit"), FINE, rate_limit=RateLimit(1, per=3.0))
    await client.send(THING, ONE)
    assert logged(caplog) == [
        ("lix_async.limiter", logging.DEBUG, "thing.get: no permits for 3.0 s after a 429")
    ]


@pytest.mark.anyio
async def test_records_have_the_fields_of_their_event(caplog: pytest.LogCaptureFixture):
    caplog.set_level(logging.DEBUG)
    await SampleClient(FINE).send(THING, ONE)
    fields = [record.__dict__["lix"] for record in caplog.records]
    assert [one["event"] for one in fields] == [
        "CallStarted",
        "AttemptStarted",
        "AttemptEnded",
        "CallEnded",
    ]
    assert len({one["call"] for one in fields}) == 1
    assert fields[2]["status"] == 200
    json.dumps(fields)


def wait(reason: WaitReason, seconds: float | None) -> WaitStarted:
    return WaitStarted(call=1, endpoint="a.b", at=0.0, reason=reason, seconds=seconds)


def end(outcome: CallOutcome, attempts: int = 1, lost: int = 0) -> CallEnded:
    return CallEnded(
        call=1, endpoint="a.b", at=0.0, attempts=attempts, seconds=1.0, waited=0.5, credits=1,
        credit_kind="org", lost=lost, outcome=outcome, error=None,
    )  # fmt: skip


def test_levels(caplog: pytest.LogCaptureFixture):
    caplog.set_level(logging.DEBUG)
    cases: list[tuple[Event, int, str]] = [
        (wait("queued", 60.0), logging.INFO, "waits 60.0 s (queued by the provider)"),
        (wait("retry", 0.9), logging.DEBUG, "waits 0.9 s (before a retry)"),
        (wait("permit", 99.0), logging.DEBUG, "waits 99.0 s (for a permit)"),
        (wait("permit", None), logging.DEBUG, "waits (for a permit)"),
        (end("cancelled", 2), logging.DEBUG, "cancelled after 2 attempts"),
        (end("cancelled", 1, 1), logging.INFO, "cancelled after 1 attempt, 1 without an answer"),
        (
            CacheHit(endpoint="a.b", at=0.0, source="ledger", saved=1, credit_kind="org"),
            logging.DEBUG,
            "answered from the ledger, 1 credit saved",
        ),
        (Event(endpoint="a.b", at=0.0), logging.DEBUG, "Event"),
    ]
    for event, level, text in cases:
        assert lines(caplog, event) == [("lix_async.calls", level, f"a.b: {text}")]


def test_what_runs_log(caplog: pytest.LogCaptureFixture):
    caplog.set_level(logging.DEBUG)
    start = RunStarted(endpoint="", at=0.0, run=3, name="crm", method="Lix get")
    bulk = {"endpoint": "a.b", "at": 0.0, "run": 3}
    counts = {"inputs": 1200, "done": 1, "credits": 1}
    found = lines(
        caplog,
        start,
        OutcomeReady(**bulk, state="done", credits=0, cached=True),
        RunParked(**bulk, reason="daily limit", until=1_700_000_000.0),
        RunParked(**bulk, reason="outage: ServerError", until=1_700_000_000.0),
        RunResumed(**bulk),
        RunParked(**bulk, reason="maintenance", until=None),
        RunEnded(**bulk, **counts, failed=0, in_doubt=0),
        RunEnded(**bulk, **counts, failed=0, in_doubt=2),
    )
    assert [(level, text) for _, level, text in found] == [
        (logging.INFO, "bulk: run 3 started: Lix get (crm)"),
        (logging.DEBUG, "a.b: run 3: done, 0 credits, from the ledger"),
        (logging.INFO, "a.b: run 3 waits until 2023-11-14 22:13:20 UTC: daily limit"),
        (logging.WARNING, "a.b: run 3 waits until 2023-11-14 22:13:20 UTC: outage: ServerError"),
        (logging.INFO, "a.b: run 3 resumed"),
        (logging.INFO, "a.b: run 3 parked: maintenance"),
        (
            logging.INFO,
            "a.b: run 3 ended: 1,200 inputs, 1 done, 0 failed, 0 in doubt, 1 credit",
        ),
        (
            logging.WARNING,
            "a.b: run 3 ended: 1,200 inputs, 1 done, 0 failed, 2 in doubt, 1 credit",
        ),
    ]
    assert {name for name, _, _ in found} == {"lix_async.bulk"}


def test_a_failed_lookup_of_a_run_is_no_warning_of_its_own(caplog: pytest.LogCaptureFixture):
    caplog.set_level(logging.INFO)
    start = RunStarted(endpoint="", at=0.0, run=3, name="", method="Lix get")
    failed = CallEnded(
        call=1, endpoint="a.b", at=0.0, attempts=1, seconds=1.0, waited=0.5, credits=0,
        credit_kind="org", lost=0, outcome="error", error="ServerError",
    )  # fmt: skip
    assert [level for _, level, _ in lines(caplog, start, failed)] == [logging.INFO, logging.INFO]
    assert [level for _, level, _ in lines(caplog, failed)] == [logging.WARNING]


PROGRAM = """
import anyio, logging, sys
sys.path.insert(0, "tests")
from sample_provider import *
async def main():
    await SampleClient(FINE, api_key="SENTINEL-0123456789").send(THING, ThingParams(id="1"))
FINE = reply(200, {"id": "a"})
anyio.run(main)
anyio.run(main)
"""


def run(setting: str | None) -> subprocess.CompletedProcess[str]:
    env = {name: value for name, value in os.environ.items() if name != "LIX_LOG"}
    if setting is not None:
        env["LIX_LOG"] = setting
    done = [sys.executable, "-c", PROGRAM]
    return subprocess.run(done, env=env, capture_output=True, text=True, check=False)


@pytest.mark.parametrize(
    ("setting", "count"), [(None, 0), ("", 0), ("info", 0), ("debug", 8), ("DEBUG", 8)]
)
def test_lix_log_shows_the_log_on_stderr(setting: str | None, count: int):
    done = run(setting)
    assert done.returncode == 0
    shown = done.stderr.splitlines()
    assert len(shown) == count
    assert all("DEBUG lix_async.calls: thing.get: " in line for line in shown)
    assert done.stdout == ""


def test_lix_log_takes_two_values(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("LIX_LOG", "loud")
    with pytest.raises(ConfigurationError, match="LIX_LOG must be debug or info"):
        SampleClient(FINE)


def test_the_end_of_an_attempt_that_got_no_status(caplog: pytest.LogCaptureFixture):
    caplog.set_level(logging.DEBUG)
    ended = AttemptEnded(
        call=1, endpoint="a.b", at=0.0, attempt=1, seconds=0.25, status=0, error="cancelled",
        kind="", received=0, lost=False,
    )  # fmt: skip
    assert [text for _, _, text in lines(caplog, ended)] == ["a.b: attempt 1: cancelled in 0.250 s"]
