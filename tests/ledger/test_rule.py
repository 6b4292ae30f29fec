"""Each event of the rule, by example; the money of attempts, by properties."""

from __future__ import annotations

from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from lix_async.ledger import rule, transaction
from lix_async.ledger.records import (
    Again,
    Decide,
    EventResult,
    Judge,
    JudgeAgain,
    LedgerEvent,
    Lose,
    NotLeft,
    Receive,
    RunTotals,
    Send,
    StoredLookup,
)
from lix_async.ledger.rule import (
    MEANINGS,
    STATUSES,
    Change,
    Judgement,
    LookupState,
    Meaning,
    Settlement,
    Status,
    StoredAnswer,
)
from lix_async.ledger.transaction import Attempt, Loaded, Writes

ME, OTHER = 1, 2
USABLE = Judgement("usable", 1)
UNUSABLE = Judgement("unusable", 1)
REFUSED = Judgement("refused", 0)
QUEUED = Judgement("queued", 0, due=50)
TRANSIENT = Judgement("transient", 0, due=50)
UNKNOWN = Judgement("unknown", None)
SENT = LookupState("sent", ME, 1)
IN_DOUBT = LookupState("in_doubt", 0, 1)


def received(judgement: Judgement | None = None, **changes: object) -> LookupState:
    """A lookup whose second attempt was answered."""
    answers = (StoredAnswer(2, 0, judgement.meaning if judgement else None),)
    row = LookupState("received", ME, 2, cur=2, answers=answers)
    return replace(row, **changes)


def stored(meaning: Meaning | None, n: int = 1, page: int = 0) -> tuple[StoredAnswer, ...]:
    return (StoredAnswer(n, page, meaning),)


def done(change: Change | None) -> LookupState:
    assert change is not None
    return change.row


def test_codes_of_stores_stand_for_every_status_and_meaning() -> None:
    assert get_args(Status) == STATUSES
    assert get_args(Meaning) == MEANINGS


class TestSend:
    def test_a_pending_lookup_is_announced(self) -> None:
        assert rule.send(LookupState(due=90), now=0) == Change(LookupState("sent", 0, 1))

    @pytest.mark.parametrize("status", ["sent", "received", "done", "kept", "refused", "in_doubt"])
    def test_what_needs_no_request_is_not(self, status: Status) -> None:
        assert rule.send(LookupState(status), now=0) is None

    def test_what_an_owner_has_is_not(self) -> None:
        assert rule.send(LookupState(owner=OTHER), now=0) is None

    @pytest.mark.parametrize(("due", "now", "sent"), [(5, 4, False), (5, 5, True), (None, 0, True)])
    def test_a_queued_lookup_waits_until_it_is_due(
        self, due: int | None, now: int, sent: bool
    ) -> None:
        assert (rule.send(LookupState("queued", due=due), now=now) is not None) is sent

    def test_an_answer_that_waits_to_be_judged_comes_first(self) -> None:
        assert rule.send(LookupState(n=2, answers=stored(None)), now=0) is None
        old = LookupState(n=2, base=1, answers=stored(None))
        assert rule.send(old, now=0) is not None

    def test_an_answer_that_is_too_old_becomes_an_older_version(self) -> None:
        row = LookupState("done", n=3, cur=2)
        assert rule.send(row, now=0, expired=True) == Change(
            LookupState("sent", n=4, base=3, cur=2, refresh=2)
        )

    def test_a_refusal_that_is_too_old_is_asked_for_again(self) -> None:
        row = LookupState("refused", n=3, cur=3, answers=stored("refused", n=3))
        assert rule.send(row, now=0) is None
        sent = done(rule.send(row, now=0, expired=True))
        assert (sent.status, sent.n, sent.refresh) == ("sent", 4, None)

    def test_what_waits_to_be_judged_comes_before_an_old_refusal(self) -> None:
        row = LookupState("refused", n=3, cur=3, answers=stored(None))
        assert rule.send(row, now=0, expired=True) is None

    def test_a_listing_that_is_too_old_begins_at_its_first_page(self) -> None:
        row = LookupState("done", n=3, cur=3, page=3)
        assert done(rule.send(row, now=0, expired=True)).page == 1


class TestReceive:
    def test_the_owner_goes_on_with_its_answer(self) -> None:
        answers = stored(None)
        assert rule.receive(SENT, ME, 1, 0) == Change(
            LookupState("received", ME, 1, cur=1, answers=answers)
        )

    @pytest.mark.parametrize("status", ["pending", "in_doubt"])
    def test_an_answer_ends_a_doubt(self, status: Status) -> None:
        row = done(rule.receive(LookupState(status, n=1), OTHER, 1, 0))
        assert (row.status, row.cur, row.owner) == ("received", 1, 0)

    def test_it_is_stored_once(self) -> None:
        row = received()
        assert rule.receive(row, ME, 2, 0) == Change(row)

    @pytest.mark.parametrize(
        "row",
        [
            LookupState("sent", OTHER, 2),
            LookupState("in_doubt", n=2),
            LookupState("pending", n=1, base=1),
            LookupState("pending", n=1, page=2),
            LookupState("refused", n=1),
            LookupState("done", n=1, cur=1),
        ],
        ids=[
            "sent by another",
            "an older attempt",
            "older version",
            "older page",
            "refused",
            "done",
        ],
    )
    def test_a_late_answer_is_stored_and_changes_nothing_else(self, row: LookupState) -> None:
        page = min(row.page, 1)
        assert rule.receive(row, ME, 1, page) == Change(replace(row, answers=stored(None, 1, page)))


class TestJudge:
    @pytest.mark.parametrize(
        ("judgement", "status", "money"),
        [
            (USABLE, "done", 1),
            (UNUSABLE, "kept", 1),
            (REFUSED, "refused", 0),
            (QUEUED, "queued", 0),
            (TRANSIENT, "pending", 0),
            (UNKNOWN, "in_doubt", None),
            (Judgement("transient", None), "pending", None),
            (Judgement("transient", None, hold=True), "in_doubt", None),
        ],
        ids=lambda value: value.meaning if isinstance(value, Judgement) else None,
    )
    def test_what_an_answer_means(
        self, judgement: Judgement, status: Status, money: int | None
    ) -> None:
        change = rule.judge(received(), ME, 2, judgement)
        row = done(change)
        assert (row.status, row.owner, row.cur) == (status, 0, 2)
        assert row.answers == stored(judgement.meaning, 2)
        assert change is not None
        assert change.settlements == (Settlement(2, money),)

    def test_tries_and_pauses(self) -> None:
        row = done(rule.judge(received(tries=1), ME, 2, TRANSIENT))
        assert (row.tries, row.due) == (2, 50)
        uncounted = replace(TRANSIENT, counts=False)
        assert done(rule.judge(received(tries=1), ME, 2, uncounted)).tries == 1
        row = done(rule.judge(received(tries=1, due=9), ME, 2, USABLE))
        assert (row.tries, row.due) == (0, None)

    def test_another_owner_judges_nothing(self) -> None:
        assert rule.judge(received(), OTHER, 2, USABLE) is None
        assert rule.judge(received(owner=0), OTHER, 2, USABLE) is not None

    def test_an_answer_is_judged_once(self) -> None:
        assert rule.judge(LookupState("done", n=1, answers=stored("usable")), ME, 1, USABLE) is None
        assert rule.judge(LookupState("done", n=1), ME, 1, USABLE) is None
        # One that is taken up again, because a later attempt bought nothing, is paid for once.
        again = rule.judge(received(USABLE, owner=0), ME, 2, USABLE)
        assert again is not None
        assert again.settlements == ()

    def test_a_page_leads_to_the_next(self) -> None:
        row = received(page=1, answers=stored(None, 2, 1))
        after = done(rule.judge(row, ME, 2, replace(USABLE, next_page=2)))
        assert (after.status, after.page, after.cur) == ("pending", 2, 2)
        assert done(rule.judge(row, ME, 2, USABLE)).status == "done"

    @pytest.mark.parametrize("status", ["pending", "in_doubt", "queued", "refused", "kept"])
    def test_a_late_usable_answer_is_taken(self, status: Status) -> None:
        row = LookupState(status, n=2, cur=2, answers=stored(None))
        change = rule.judge(row, OTHER, 1, USABLE)
        assert (done(change).status, done(change).cur) == ("done", 1)
        assert change is not None
        assert change.settlements == (Settlement(1, 1),)

    @pytest.mark.parametrize(
        ("status", "after"),
        [
            *(("pending", "kept"), ("in_doubt", "kept"), ("queued", "kept"), ("refused", "kept")),
            *(("kept", "kept"), ("done", "done"), ("sent", "sent")),
        ],
    )
    def test_a_late_unusable_answer_is_better_than_none(
        self, status: Status, after: Status
    ) -> None:
        row = LookupState(status, n=2, cur=2, answers=stored(None))
        changed = done(rule.judge(row, OTHER, 1, UNUSABLE))
        assert (changed.status, changed.cur) == (after, 2 if after == status else 1)

    @pytest.mark.parametrize(
        "row",
        [
            LookupState("pending", n=2, base=1, answers=stored(None)),
            LookupState("pending", n=2, page=2, answers=stored(None, 1, 1)),
            LookupState("sent", OTHER, 2, answers=stored(None)),
            LookupState("done", n=2, cur=2, answers=stored(None)),
        ],
        ids=["older version", "older page", "in flight", "done"],
    )
    def test_a_late_answer_that_is_not_wanted_is_paid_for_all_the_same(
        self, row: LookupState
    ) -> None:
        change = rule.judge(row, OTHER, 1, USABLE)
        assert change is not None
        assert change.settlements == (Settlement(1, 1),)
        assert replace(change.row, answers=row.answers) == row

    def test_a_refresh_that_was_let_be_and_was_answered(self) -> None:
        row = LookupState("done", n=2, base=1, cur=1, answers=stored(None, 2))
        after = done(rule.judge(row, OTHER, 2, USABLE))
        assert (after.status, after.cur) == ("done", 2)


class TestAStoredAnswer:
    """An answer that came late, and was not used, is taken before anything is given up."""

    @pytest.mark.parametrize("judgement", [TRANSIENT, REFUSED, QUEUED, UNKNOWN, UNUSABLE])
    def test_whatever_the_later_attempt_ends_with(self, judgement: Judgement) -> None:
        row = received()
        row = replace(row, answers=(*stored("usable"), *row.answers))
        after = done(rule.judge(row, ME, 2, judgement))
        assert (after.status, after.cur, after.owner) == ("received", 1, 0)
        assert done(rule.judge(after, OTHER, 1, USABLE)).status == "done"

    @pytest.mark.parametrize("end", [rule.lose, rule.not_left])
    def test_also_where_it_ends_without_an_answer(self, end: object) -> None:
        row = LookupState("sent", ME, 2, answers=stored("unusable"))
        after = done(end(row, ME, 2))  # type: ignore[operator]  # either function
        assert (after.status, after.cur) == ("received", 1)

    def test_or_with_its_owner(self) -> None:
        row = LookupState("sent", ME, 2, answers=stored("usable"))
        assert done(rule.release(row, ME)).status == "received"

    def test_a_usable_one_before_an_unusable_one_then_the_newest(self) -> None:
        answers = (*stored("usable", 1), *stored("usable", 2), *stored("unusable", 3))
        row = LookupState("sent", ME, 4, answers=answers)
        assert done(rule.lose(row, ME, 4)).cur == 2

    def test_an_unusable_one_is_no_better_than_the_next(self) -> None:
        row = received()
        row = replace(row, answers=(*stored("unusable"), *row.answers))
        after = done(rule.judge(row, ME, 2, UNUSABLE))
        assert (after.status, after.cur) == ("kept", 2)

    def test_not_one_of_an_older_version_or_of_another_page(self) -> None:
        row = LookupState("sent", ME, 2, base=1, answers=stored("usable"))
        assert done(rule.lose(row, ME, 2)).status == "in_doubt"
        row = LookupState("sent", ME, 2, page=2, answers=stored("usable", 1, 1))
        assert done(rule.lose(row, ME, 2)).status == "in_doubt"

    def test_the_next_page_may_be_there_already(self) -> None:
        answers = (*stored(None, 2, 1), *stored("usable", 1, 2))
        row = received(page=1, answers=answers)
        after = done(rule.judge(row, ME, 2, replace(USABLE, next_page=2)))
        assert (after.status, after.cur, after.page) == ("received", 1, 2)


class TestLose:
    def test_what_ended_without_an_answer_is_in_doubt(self) -> None:
        assert rule.lose(SENT, ME, 1) == Change(IN_DOUBT, (Settlement(1, None),))

    @pytest.mark.parametrize("row", [replace(SENT, owner=OTHER), replace(SENT, n=2), IN_DOUBT])
    def test_only_its_owner_says_so(self, row: LookupState) -> None:
        assert rule.lose(row, ME, 1) is None

    def test_an_owner_that_gives_up_lets_others_judge(self) -> None:
        row = received()
        assert rule.lose(row, ME, 2) == Change(replace(row, owner=0))
        assert rule.lose(row, OTHER, 2) is None
        assert rule.lose(row, ME, 1) is None


class TestNotLeft:
    @pytest.mark.parametrize("row", [SENT, IN_DOUBT])
    def test_nothing_was_charged(self, row: LookupState) -> None:
        assert rule.not_left(row, ME, 1) == Change(LookupState(n=1), (Settlement(1, 0),))

    @pytest.mark.parametrize("row", [replace(SENT, owner=OTHER), LookupState()])
    def test_it_says_nothing_about_other_attempts(self, row: LookupState) -> None:
        assert rule.not_left(row, ME, 1) is None

    @pytest.mark.parametrize("status", ["pending", "refused", "done", "queued"])
    def test_its_credits_come_back_where_the_lookup_has_gone_on(self, status: Status) -> None:
        row = LookupState(status, n=1)
        assert rule.not_left(row, ME, 1) == Change(row, (Settlement(1, 0),))
        assert rule.not_left(replace(row, answers=stored("usable")), ME, 1) is None


class TestRelease:
    def test_what_a_dead_owner_sent_is_in_doubt(self) -> None:
        assert rule.release(SENT, ME) == Change(IN_DOUBT, (Settlement(1, None),))

    def test_what_it_received_may_be_judged(self) -> None:
        assert rule.release(received(), ME) == Change(received(owner=0))

    def test_others_keep_what_they_have(self) -> None:
        assert rule.release(SENT, OTHER) is None


class TestDecide:
    def test_again(self) -> None:
        assert rule.decide(IN_DOUBT, 1, again=True) == Change(
            LookupState(n=1), (Settlement(1, None, True),)
        )

    def test_let_be(self) -> None:
        assert rule.decide(IN_DOUBT, 1, again=False) == Change(
            LookupState("refused", n=1), (Settlement(1, None, True),)
        )

    @pytest.mark.parametrize("row", [SENT, replace(IN_DOUBT, n=2), LookupState(n=1)])
    def test_it_is_about_one_attempt_in_doubt(self, row: LookupState) -> None:
        assert rule.decide(row, 1, again=True) is None
        assert rule.decide(row, 1, again=False) is None


class TestARefresh:
    """While a newer answer is bought, and where that fails, the older one stands."""

    ROW = LookupState("sent", ME, 2, base=1, cur=1, refresh=1)
    STANDS = LookupState("done", 0, 2, base=1, cur=1)

    def test_that_never_left(self) -> None:
        assert done(rule.not_left(self.ROW, ME, 2)) == self.STANDS

    @pytest.mark.parametrize("judgement", [TRANSIENT, REFUSED])
    def test_that_bought_nothing(self, judgement: Judgement) -> None:
        row = done(rule.receive(self.ROW, ME, 2, 0))
        after = done(rule.judge(row, ME, 2, judgement))
        assert (after.status, after.cur, after.refresh, after.due) == ("done", 1, None, None)

    def test_that_is_in_doubt(self) -> None:
        row = done(rule.lose(self.ROW, ME, 2))
        assert (row.status, row.refresh) == ("in_doubt", 1)
        assert done(rule.decide(row, 2, again=False)) == self.STANDS
        assert done(rule.decide(row, 2, again=True)).refresh == 1

    @pytest.mark.parametrize("judgement", [QUEUED, UNUSABLE])
    def test_that_has_not_ended_well(self, judgement: Judgement) -> None:
        row = done(rule.receive(self.ROW, ME, 2, 0))
        assert done(rule.judge(row, ME, 2, judgement)).refresh == 1

    def test_that_bought_the_newer_answer(self) -> None:
        row = done(rule.receive(self.ROW, ME, 2, 0))
        after = done(rule.judge(row, ME, 2, USABLE))
        assert (after.status, after.cur, after.refresh) == ("done", 2, None)


class TestAgain:
    @pytest.mark.parametrize(("status", "meaning"), [("kept", "unusable"), ("refused", "refused")])
    def test_a_person_may_buy_anew(self, status: Status, meaning: Meaning) -> None:
        row = LookupState(status, n=2, cur=2, tries=3, answers=stored(meaning, 2))
        after = done(rule.again(row, 2))
        assert (after.status, after.tries) == ("pending", 0)
        # The unusable answer is not taken up again; the refused one never was.
        sent = replace(done(rule.send(after, now=0)), owner=ME)
        assert done(rule.lose(sent, ME, 3)).status == "in_doubt"

    def test_what_is_on_its_way_is_still_wanted(self) -> None:
        row = LookupState("refused", n=2, cur=2, answers=stored("refused", 2))
        after = done(rule.again(row, 2))
        late = done(rule.receive(after, ME, 1, 0))
        assert rule.send(late, now=0) is None
        assert done(rule.judge(late, OTHER, 1, USABLE)).status == "done"

    def test_what_waits_to_be_judged_comes_first(self) -> None:
        row = LookupState("kept", n=2, cur=2, answers=stored(None))
        assert rule.again(row, 2) is None

    @pytest.mark.parametrize("row", [LookupState("done", n=1), LookupState("refused", n=2)])
    def test_only_once_and_only_what_ended(self, row: LookupState) -> None:
        assert rule.again(row, 1) is None


class TestJudgeAgain:
    KEPT = LookupState("kept", n=2, cur=1, answers=stored("unusable"))

    def test_a_newer_version_can_read_it(self) -> None:
        change = rule.judge_again(self.KEPT, 1, USABLE)
        assert change is not None
        assert change.settlements == ()
        assert (change.row.status, change.row.answers) == ("done", stored("usable"))

    @pytest.mark.parametrize(
        ("row", "judgement"),
        [
            (KEPT, UNUSABLE),
            (replace(KEPT, status="pending"), USABLE),
            (replace(KEPT, cur=2), USABLE),
            (replace(KEPT, answers=()), USABLE),
        ],
        ids=["no better", "not kept", "another answer stands", "not stored"],
    )
    def test_else_it_stays(self, row: LookupState, judgement: Judgement) -> None:
        assert rule.judge_again(row, 1, judgement) is None


# Transactions


class MemoryTables:
    """Lookups, attempts and one run, without a database."""

    def __init__(self, keys: int = 1, cap: int | None = None) -> None:
        self.lookups = {n: StoredLookup(n, b"", "", b"", LookupState()) for n in range(1, keys + 1)}
        self.money: dict[tuple[int, int], Attempt] = {}
        self.run = RunTotals(cap)
        self.writes = Writes()

    def load(self, ids: object, *, attempts: object = (), runs: object = (), **_: object) -> Loaded:
        wanted = [key for key in attempts if key in self.money]  # type: ignore[attr-defined]
        found = {n: self.lookups[n] for n in ids if n in self.lookups}  # type: ignore[attr-defined]
        totals = {1: self.run} if self.run.cap is not None and (wanted or runs) else {}
        return Loaded(found, {key: self.money[key] for key in wanted}, totals)

    def write(self, writes: Writes) -> None:
        self.writes = writes
        self.money |= {(a.lookup, a.n): a for a in writes.new_attempts}
        self.money |= writes.attempts

    def apply(self, *events: LedgerEvent, owner: int = ME) -> list[EventResult]:
        return transaction.apply(self, events, owner)


def send(lookup: int = 1, n: int = 0, price: int = 1, run: int | None = 1) -> Send:
    return Send(lookup, n, price, 7, "standard", run)


def receive(n: int = 1, lookup: int = 1, page: int = 0) -> Receive:
    return Receive(lookup, ME, n, page, 200, b"{}", 8)


class TestATransaction:
    def test_a_request_is_announced_once(self) -> None:
        tables = MemoryTables()
        first, second = tables.apply(send(), send())
        assert (first.applied, first.owner, first.state.n) == (True, ME, 1)
        assert (second.applied, second.state.n) == (False, 1)
        assert not tables.apply(send(n=1))[0].applied  # nor while it is in flight
        assert tables.money.keys() == {(1, 1)}

    def test_who_has_no_owner_announces_nothing(self) -> None:
        assert not MemoryTables().apply(send(), owner=0)[0].applied

    def test_a_lookup_that_was_forgotten_meanwhile(self) -> None:
        assert (
            MemoryTables().apply(send(9), receive(lookup=9))
            == [EventResult(False, LookupState())] * 2
        )

    def test_the_cap_of_a_run(self) -> None:
        tables = MemoryTables(3, cap=3)
        results = tables.apply(send(1, price=2), send(2, price=2), send(3, price=1))
        assert [(r.applied, r.over_budget) for r in results] == [
            *((True, False), (False, True), (True, False)),
        ]
        assert (tables.run.held, tables.run.spent, tables.run.maybe) == (3, 0, 0)
        assert tables.apply(send(2, price=0))[0].applied

    def test_a_run_without_a_cap_and_a_call_without_a_run(self) -> None:
        tables = MemoryTables(2)
        tables.apply(send(1), send(2, run=None))
        tables.apply(Lose(1, ME, 1, 9, "cut off"), Lose(2, ME, 1, 9))
        assert (tables.money[1, 1].note, tables.money[1, 1].ended) == ("cut off", 9)
        assert (tables.money[2, 1].charged, tables.money[2, 1].ended) == (None, 9)

    def test_what_never_left_is_undone_by_its_own_owner(self) -> None:
        tables = MemoryTables(cap=1)
        tables.apply(send())
        assert not tables.apply(NotLeft(1, OTHER, 1, 8))[0].applied
        assert not tables.apply(NotLeft(1, ME, 2, 8))[0].applied
        assert tables.apply(NotLeft(1, ME, 1, 8))[0].state.status == "pending"
        assert (tables.run.held, tables.money[1, 1].charged) == (0, 0)

    def test_an_answer_is_stored_once_and_its_decision_beside_it(self) -> None:
        tables = MemoryTables(cap=1)
        tables.apply(send(), receive())
        assert len(tables.writes.answers) == 1
        judge = Judge(1, ME, 1, USABLE, 9, "answer", pause=4, rows=b"[]", note="ok")
        again, judged, repeated = tables.apply(receive(), judge, judge)
        assert (again.applied, judged.applied, repeated.applied) == (True, True, False)
        assert tables.writes.answers == []
        assert tables.writes.meanings == {(1, 1): ("usable", b"[]")}
        attempt = tables.money[1, 1]
        assert (attempt.family, attempt.note, attempt.charged) == ("answer", "ok", 1)
        assert (tables.run.held, tables.run.spent) == (0, 1)

    def test_an_attempt_that_an_older_ledger_did_not_keep(self) -> None:
        tables = MemoryTables(cap=1)
        tables.apply(send(), receive())
        tables.money.clear()
        assert tables.apply(Judge(1, ME, 1, USABLE, 9))[0].state.status == "done"
        assert not tables.writes.attempts
        tables = MemoryTables()
        tables.apply(send())
        tables.money.clear()
        assert tables.apply(Lose(1, ME, 1, 9, "cut off"))[0].state.status == "in_doubt"

    def test_what_never_left_gives_its_credits_back_once(self) -> None:
        tables = MemoryTables(cap=2)
        tables.apply(send())
        transaction.release(tables, [1], ME, 8)
        tables.apply(Decide(1, 1, True, 8), send(n=1))
        assert (tables.run.held, tables.run.maybe) == (1, 1)
        for _ in range(2):
            assert tables.apply(NotLeft(1, ME, 1, 9))[0].state.n == 2
            assert (tables.run.held, tables.run.maybe, tables.run.spent) == (1, 0, 0)

    def test_a_late_judgement_keeps_the_pause_of_the_lookup(self) -> None:
        tables = MemoryTables()
        tables.apply(send(), Lose(1, ME, 1, 8), Decide(1, 1, True, 8), send(n=1))
        tables.apply(receive(n=2), Judge(1, ME, 2, TRANSIENT, 9, pause=30))
        tables.apply(receive(n=1), Judge(1, ME, 1, REFUSED, 9, pause=0))
        lookup = tables.lookups[1]
        assert (lookup.pause, lookup.state.due, lookup.state.status) == (30, 50, "pending")

    def test_a_page_moves_the_position(self) -> None:
        tables = MemoryTables()
        tables.lookups[1].state = LookupState(page=1)
        judgement = replace(USABLE, next_page=2)
        tables.apply(send(), receive(page=1), Judge(1, ME, 1, judgement, 9, position=b"2"))
        assert (tables.lookups[1].position, tables.lookups[1].state.page) == (b"2", 2)
        tables.apply(send(n=1), receive(n=2, page=2), Judge(1, ME, 2, USABLE, 9, position=b"3"))
        assert (tables.lookups[1].position, tables.lookups[1].state.status) == (b"2", "done")

    def test_a_kept_answer_is_read_again_for_free(self) -> None:
        tables = MemoryTables(cap=1)
        tables.apply(send(), receive(), Judge(1, ME, 1, UNUSABLE, 9, "unusable"))
        assert tables.apply(JudgeAgain(1, 1, USABLE, 10))[0].state.status == "done"
        assert (tables.run.spent, tables.money[1, 1].family) == (1, "unusable")
        assert tables.writes.meanings == {(1, 1): ("usable", None)}

    def test_a_decision_is_noted_and_pays_nothing(self) -> None:
        tables = MemoryTables(cap=2)
        tables.apply(send(), Lose(1, ME, 1, 8))
        assert (tables.run.held, tables.run.maybe) == (0, 1)
        tables.apply(Decide(1, 1, True, 9))
        assert (tables.run.maybe, tables.money[1, 1].decided) == (1, True)
        # The answer comes after all: what it cost is known.
        tables.apply(receive(), Judge(1, ME, 1, REFUSED, 10))
        assert (tables.run.maybe, tables.run.spent) == (0, 0)
        assert tables.money[1, 1].decided
        assert tables.apply(Again(1, 1, 11))[0].state.status == "pending"

    def test_a_dead_owner_is_released(self) -> None:
        tables = MemoryTables(3, cap=9)
        tables.apply(send(1), send(2), receive(lookup=2))
        tables.apply(send(3), owner=OTHER)
        assert transaction.release(tables, [1, 2, 3], ME, 9) == 1
        states = [tables.lookups[n].state for n in (1, 2, 3)]
        assert [(s.status, s.owner) for s in states] == [
            *(("in_doubt", 0), ("received", 0), ("sent", OTHER)),
        ]
        assert (tables.run.held, tables.run.maybe) == (2, 1)


ENDS = st.sampled_from(
    ["usable", "refused", "transient", "lost", "lost, decided", "not left", "late"]
)


@given(
    cap=st.integers(0, 20),
    prices=st.lists(st.tuples(st.integers(0, 3), ENDS), max_size=30),
    in_flight=st.integers(1, 8),
)
def test_a_cap_is_never_exceeded(cap: int, prices: list[tuple[int, str]], in_flight: int) -> None:
    tables = MemoryTables(len(prices), cap=cap)
    flying: list[tuple[int, int, str]] = []
    charged = 0

    def land() -> int:
        lookup, price, end = flying.pop(0)
        if end == "not left":
            tables.apply(NotLeft(lookup, ME, 1, 9))
            return 0
        if end.startswith("lost"):
            tables.apply(Lose(lookup, ME, 1, 9))
            if end != "lost":
                tables.apply(Decide(lookup, 1, True, 9))
            return price  # as bad as it can be
        if end == "late":
            transaction.release(tables, [lookup], ME, 9)
        judgement = Judgement("usable", price) if end in ("usable", "late") else REFUSED
        if end == "transient":
            judgement = TRANSIENT
        tables.apply(receive(lookup=lookup), Judge(lookup, ME, 1, judgement, 9))
        return judgement.charged or 0

    for lookup, (price, end) in enumerate(prices, 1):
        if len(flying) == in_flight:
            charged += land()
        result = tables.apply(send(lookup, price=price))[0]
        assert result.applied is not result.over_budget
        if result.applied:
            flying.append((lookup, price, end))
        else:
            run = tables.run
            assert run.held + run.spent + run.maybe + price > cap  # never refused without need
        assert tables.run.held + tables.run.spent + tables.run.maybe <= cap
    while flying:
        charged += land()
    attempts = tables.money.values()
    assert tables.run.held == 0
    assert tables.run.spent == sum(a.charged or 0 for a in attempts)
    assert tables.run.maybe == sum(a.price for a in attempts if a.charged is None)
    assert tables.run.spent + tables.run.maybe == charged <= cap


@given(
    cap=st.integers(0, 20),
    price=st.integers(1, 3),
    keys=st.integers(0, 30),
    width=st.integers(1, 64),
)
def test_without_errors_exactly_what_the_cap_allows_is_bought(
    cap: int, price: int, keys: int, width: int
) -> None:
    tables = MemoryTables(keys, cap=cap)
    pending = list(tables.lookups)
    bought = 0
    while pending:
        group, pending = pending[:width], pending[width:]
        results = tables.apply(*[send(lookup, price=price) for lookup in group])
        sent = [n for n, result in zip(group, results, strict=True) if result.applied]
        judgement = Judgement("usable", price)
        for lookup in sent:
            tables.apply(receive(lookup=lookup), Judge(lookup, ME, 1, judgement, 9))
        bought += len(sent)
    assert bought == min(cap // price, keys)
    assert tables.run.spent == bought * price
