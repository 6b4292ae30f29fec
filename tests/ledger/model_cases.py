"""The configurations that `model.py` checks, and the mutations of the rule that it must find."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import pytest
from msgspec.structs import replace

from lix_async.ledger import rule, transaction
from lix_async.ledger.records import EventResult
from lix_async.ledger.rule import Change, LookupState, Settlement

from .model import Config

SMALL = (
    Config("hold, 1 key", keys=1, may="crash, stall, loss, cancel, transient"),
    Config("hold, a person decides", keys=1, may="stall, loss, 2 person, repeat"),
    Config("retry, a late answer, each family", keys=1, retry=True, may="decision, stall, queued, unusable, refused, transient"),
    Config("a listing", keys=1, pages=2, retry=True, may="decision, stall, loss, transient"),
    Config("a listing is bought again", keys=1, pages=2, may="expiry, stall, transient"),
    Config("a listing is bought again, refused, let be", keys=1, pages=2, may="expiry, loss, refused, 2 person"),
    Config("a refresh", keys=1, may="expiry, stall, cancel, refused, person"),
    Config("a refusal asked for again", keys=1, may="2 expiry, stall, cancel, refused, transient"),
    Config("gateways hold", keys=1, gateway_hold=True, may="gateway, unknown, stall, person"),
    Config("balances are read", keys=1, cap=2, may="stall, loss, person, 2 reading"),
    Config("forgotten, and late answers", keys=1, may="forget, stall, loss, cancel, repeat, person"),
    Config("forgotten, cap 2 of 2", cap=2, may="forget, stall, transient"),
    Config("cap 1 of 3", processes=3, keys=3, cap=1),
    Config("cap 2 of 3, transient", processes=3, keys=3, cap=2, may="transient"),
)  # fmt: skip
"""Seconds in all: part of the suite."""

LARGE = (
    Config("hold, 2 keys: crash, stall, loss, cancel, transient", may="crash, stall, loss, cancel, transient"),
    Config("hold, 1 key: two of each", keys=1, may="2 crash, 2 stall, 2 loss, 2 cancel, transient, unusable, refused"),
    Config("hold, 3 processes, 1 key", processes=3, keys=1, may="crash, stall, loss, cancel, transient, unusable"),
    Config("hold, 3 processes, 2 keys", processes=3, may="crash, stall, loss"),
    Config("hold, 3 processes, 3 keys", processes=3, keys=3, may="crash, stall, loss, transient"),
    Config("hold, commits whose acknowledgement is lost", keys=1, may="crash, stall, loss, cancel, transient, 2 repeat"),
    Config("hold, people decide and buy anew", keys=1, may="stall, loss, unusable, refused, 2 person, repair, repeat"),
    Config("hold, queued", may="crash, stall, 2 queued"),
    Config("hold, gateways and cut answers in doubt", keys=1, gateway_hold=True, may="gateway, unknown, stall, person, crash, transient"),
    Config("retry, 1 key: 2 stalls, 2 losses, 3 decisions", keys=1, retry=True, may="3 decision, 2 stall, 2 loss, transient, unusable, refused"),
    Config("retry, 3 processes, 1 key", processes=3, keys=1, retry=True, may="2 decision, stall, loss, transient, unusable, refused"),
    Config("retry, 2 keys", retry=True, may="decision, crash, stall, loss, unusable"),
    Config("retry, 2 keys, late answers", retry=True, may="2 decision, 2 stall, unusable, refused"),
    Config("retry, gateways repeated", keys=1, retry=True, may="2 decision, 2 gateway, unknown, stall"),
    Config("refresh twice", keys=1, retry=True, may="2 expiry, 2 decision, stall, refused, transient, unusable, queued"),
    Config("refresh, crash, stall, loss, cancel, a person", keys=1, may="expiry, crash, stall, loss, cancel, person"),
    Config("a listing, a page lost", keys=1, pages=2, retry=True, may="2 decision, stall, loss, transient, unusable, refused"),
    Config("a listing of 3 pages, stalled twice", keys=1, pages=3, retry=True, may="2 decision, 2 stall, loss"),
    Config("a listing, bought again twice", keys=1, pages=2, retry=True, may="2 expiry, decision, stall, cancel, refused, transient"),
    Config("a listing, bought again, balances are read", keys=1, pages=2, may="expiry, stall, loss, reading, unusable, person"),
    Config("a listing, bought again, anew", keys=1, pages=2, may="expiry, stall, loss, unusable, 2 person, repair"),
    Config("two listings, crash", pages=2, may="crash, stall, queued"),
    Config("cap 2 of 2, retry", retry=True, cap=2, may="decision, crash, stall, loss"),
    Config("cap 1 of 2, 3 processes, retry", processes=3, retry=True, cap=1, may="2 decision, crash, stall, loss, cancel"),
    Config("cap 3 of a listing of 2 pages, and another", pages=2, retry=True, cap=3, may="decision, stall, loss"),
    Config("balances are read, gateways, cut answers", keys=1, retry=True, gateway_hold=True, may="decision, 2 reading, stall, gateway, unknown, person, unusable, repair"),
    Config("balances are read, refresh, crash", keys=1, may="expiry, crash, stall, loss, 2 reading, transient"),
    Config("balances are read, a listing, cap 3", keys=2, pages=2, cap=3, may="stall, loss, 2 reading"),
    Config("forgotten, crash, refresh", may="2 forget, crash, stall, expiry"),
    Config("forgotten listings", pages=2, retry=True, may="2 forget, decision, stall, loss"),
    Config("cap 2 of 3, gateways, commits repeated", keys=3, cap=2, may="gateway, repeat, refused"),
)  # fmt: skip
"""Minutes in all: `nox -s model`."""


class Mutation(NamedTuple):
    """A deliberate fault, and a configuration in which it shows."""

    name: str
    make: Callable[[pytest.MonkeyPatch], None]
    config: Config


MUTATIONS: list[Mutation] = []
Maker = Callable[[pytest.MonkeyPatch], None]


def mutation(**options: object) -> Callable[[Maker], Maker]:
    """Note a mutation; the options are those of its configuration, with one key by default."""

    def note(make: Maker) -> Maker:
        name = make.__name__.replace("_", " ")
        config = Config(name, **{"keys": 1, **options})  # type: ignore[arg-type]  # as given below
        MUTATIONS.append(Mutation(name, make, config))
        return make

    return note


@mutation(may="stall")
def send_takes_what_is_in_doubt(patch: pytest.MonkeyPatch) -> None:
    send = rule.send

    def wrong(row: LookupState, *, now: int, expired: bool = False) -> Change | None:
        if row.status == "in_doubt":
            row = replace(row, status="pending")
        return send(row, now=now, expired=expired)

    patch.setattr(rule, "send", wrong)


@mutation()
def send_takes_what_another_has_sent(patch: pytest.MonkeyPatch) -> None:
    def wrong(row: LookupState, *, now: int, expired: bool = False) -> Change | None:
        return Change(replace(row, status="sent", n=row.n + 1))

    patch.setattr(rule, "send", wrong)
    send = transaction._Batch._send
    patch.setattr(
        transaction._Batch,
        "_send",
        lambda self, lookup, event: send(self, lookup, replace(event, n=lookup.state.n)),
    )


@mutation(retry=True, may="decision, stall, transient")
def send_does_not_wait_for_the_judge(patch: pytest.MonkeyPatch) -> None:
    send = rule.send

    def wrong(row: LookupState, *, now: int, expired: bool = False) -> Change | None:
        answers = tuple(a for a in row.answers if a.meaning is not None)
        change = send(replace(row, answers=answers), now=now, expired=expired)
        return change and Change(replace(change.row, answers=row.answers))

    patch.setattr(rule, "send", wrong)


@mutation(may="queued")
def send_does_not_wait_until_it_is_due(patch: pytest.MonkeyPatch) -> None:
    send = rule.send
    patch.setattr(
        rule, "send", lambda row, *, now, expired=False: send(row, now=99, expired=expired)
    )


@mutation(may="expiry, transient")
def a_refresh_keeps_the_old_answers(patch: pytest.MonkeyPatch) -> None:
    send = rule.send

    def wrong(row: LookupState, *, now: int, expired: bool = False) -> Change | None:
        change = send(row, now=now, expired=expired)
        return change and Change(replace(change.row, base=row.base))

    patch.setattr(rule, "send", wrong)


@mutation(may="expiry, cancel")
def an_unbought_refresh_forgets_the_old_answer(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(rule, "_unbought", lambda row, due=None: replace(row, status="done", cur=0))


@mutation(may="stall")
def late_answers_are_dropped(patch: pytest.MonkeyPatch) -> None:
    receive = rule.receive

    def wrong(row: LookupState, owner: int, n: int, page: int) -> Change:
        mine = row.status == "sent" and row.owner == owner
        return receive(row, owner, n, page) if mine else Change(row)

    patch.setattr(rule, "receive", wrong)


@mutation(retry=True, may="decision, stall, transient")
def any_answer_ends_the_attempt_in_flight(patch: pytest.MonkeyPatch) -> None:
    receive = rule.receive

    def wrong(row: LookupState, owner: int, n: int, page: int) -> Change:
        changed = receive(row, owner, n, page).row
        return Change(
            replace(changed, status="received", cur=n) if row.status == "sent" else changed
        )

    patch.setattr(rule, "receive", wrong)


@mutation(retry=True, pages=2, may="2 decision, 2 stall, loss")
def an_answer_for_another_page_is_taken(patch: pytest.MonkeyPatch) -> None:
    receive = rule.receive

    def wrong(row: LookupState, owner: int, n: int, page: int) -> Change:
        change = receive(replace(row, page=page), owner, n, page)
        return Change(replace(change.row, page=row.page))

    patch.setattr(rule, "receive", wrong)


@mutation(may="loss")
def what_is_lost_is_pending(patch: pytest.MonkeyPatch) -> None:
    def wrong(row: LookupState, owner: int, n: int) -> Change | None:
        return Change(replace(row, status="pending", owner=0), (Settlement(n, None),))

    patch.setattr(rule, "lose", wrong)


@mutation(retry=True, may="decision, stall, loss")
def losing_looks_at_no_owner(patch: pytest.MonkeyPatch) -> None:
    lose = rule.lose
    patch.setattr(rule, "lose", lambda row, owner, n: lose(row, row.owner, row.n))


@mutation(keys=2, cap=1, may="loss")
def what_is_lost_costs_nothing(patch: pytest.MonkeyPatch) -> None:
    lose = rule.lose

    def wrong(row: LookupState, owner: int, n: int) -> Change | None:
        change = lose(row, owner, n)
        return change and Change(change.row, (Settlement(n, 0),))

    patch.setattr(rule, "lose", wrong)


@mutation(retry=True, cap=1, may="decision, loss")
def the_totals_forget_what_is_lost(patch: pytest.MonkeyPatch) -> None:
    settle = transaction._Batch._charge

    def wrong(self: transaction._Batch, lookup: int, settlement: Settlement, now: int) -> None:
        settle(self, lookup, settlement, now)
        for totals in self.writes.runs.values():
            totals.maybe = 0

    patch.setattr(transaction._Batch, "_charge", wrong)


@mutation(keys=2, cap=1)
def the_cap_is_not_reserved(patch: pytest.MonkeyPatch) -> None:
    send = transaction._Batch._send

    def wrong(self: transaction._Batch, lookup: object, event: object) -> EventResult:
        result = send(self, lookup, event)  # type: ignore[arg-type]  # passed on
        for totals in self.writes.runs.values():
            totals.held = 100
        return result

    patch.setattr(transaction._Batch, "_send", wrong)


@mutation(may="crash")
def release_makes_it_pending(patch: pytest.MonkeyPatch) -> None:
    release = rule.release

    def wrong(row: LookupState, dead: int) -> Change | None:
        change = release(row, dead)
        doubt = change is not None and change.row.status == "in_doubt"
        return change and Change(
            replace(change.row, status="pending") if doubt else change.row, change.settlements
        )

    patch.setattr(rule, "release", wrong)


@mutation(may="crash")
def release_forgets_what_was_received(patch: pytest.MonkeyPatch) -> None:
    release = rule.release
    patch.setattr(
        rule, "release", lambda row, dead: None if row.status == "received" else release(row, dead)
    )


@mutation(may="stall, cancel")
def what_never_left_stays_announced(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(rule, "not_left", lambda row, owner, n: Change(row, (Settlement(n, 0),)))


@mutation(may="stall, cancel, person")
def what_never_left_is_counted(patch: pytest.MonkeyPatch) -> None:
    not_left = rule.not_left

    def wrong(row: LookupState, owner: int, n: int) -> Change | None:
        return not_left(row, owner, n) if row.status in ("sent", "in_doubt") else None

    patch.setattr(rule, "not_left", wrong)


@mutation(retry=True, may="decision, stall, transient")
def stored_answers_are_forgotten(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(rule, "_or_stored_answer", lambda row, status: replace(row, status=status))


def _forgotten(patch: pytest.MonkeyPatch, wrong: str) -> None:
    stored = rule._or_stored_answer
    patch.setattr(
        rule,
        "_or_stored_answer",
        lambda row, status: replace(row, status=status) if status == wrong else stored(row, status),
    )


@mutation(retry=True, may="decision, stall, queued")
def a_queued_lookup_forgets_stored_answers(patch: pytest.MonkeyPatch) -> None:
    _forgotten(patch, "queued")


@mutation(retry=True, may="decision, stall, unusable")
def an_unusable_answer_hides_a_usable_one(patch: pytest.MonkeyPatch) -> None:
    _forgotten(patch, "kept")


@mutation(retry=True, may="decision, stall, refused")
def a_refusal_hides_a_stored_answer(patch: pytest.MonkeyPatch) -> None:
    _forgotten(patch, "refused")


@mutation(retry=True, may="decision, stall, refused")
def a_late_answer_does_not_beat_a_refusal(patch: pytest.MonkeyPatch) -> None:
    late = rule._judged_late

    def wrong(row: LookupState, answer: rule.StoredAnswer, judgement: rule.Judgement) -> Change:
        if row.status == "refused":
            return Change(row, (Settlement(answer.n, judgement.charged),))
        return late(row, answer, judgement)

    patch.setattr(rule, "_judged_late", wrong)


@mutation(may="expiry, stall, person")
def a_late_refresh_is_ignored(patch: pytest.MonkeyPatch) -> None:
    late = rule._judged_late

    def wrong(row: LookupState, answer: rule.StoredAnswer, judgement: rule.Judgement) -> Change:
        if row.status == "done":
            return Change(row, (Settlement(answer.n, judgement.charged),))
        return late(row, answer, judgement)

    patch.setattr(rule, "_judged_late", wrong)


@mutation(retry=True, may="decision, stall, transient")
def late_answers_are_not_paid_for(patch: pytest.MonkeyPatch) -> None:
    late = rule._judged_late
    patch.setattr(rule, "_judged_late", lambda *args: Change(late(*args).row))


@mutation(pages=2)
def a_listing_ends_with_its_first_page(patch: pytest.MonkeyPatch) -> None:
    judged = rule._judged
    patch.setattr(
        rule,
        "_judged",
        lambda row, answer, judgement: judged(row, answer, replace(judgement, next_page=None)),
    )


@mutation(pages=2)
def a_listing_stays_at_its_page(patch: pytest.MonkeyPatch) -> None:
    judged = rule._judged

    def wrong(row: LookupState, answer: rule.StoredAnswer, judgement: rule.Judgement) -> Change:
        change = judged(row, answer, judgement)
        return Change(replace(change.row, page=row.page), change.settlements)

    patch.setattr(rule, "_judged", wrong)


@mutation(pages=2, may="expiry")
def a_new_page_hides_the_older_listing(patch: pytest.MonkeyPatch) -> None:
    judged = rule._judged

    def wrong(row: LookupState, answer: rule.StoredAnswer, judgement: rule.Judgement) -> Change:
        change = judged(row, answer, judgement)
        usable = judgement.meaning == "usable"
        return change._replace(row=replace(change.row, refresh=None)) if usable else change

    patch.setattr(rule, "_judged", wrong)


@mutation(pages=2, may="expiry, transient")
def a_new_page_is_dropped_where_the_next_one_fails(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(rule, "_falls_back", lambda row: row.refresh is not None)


@mutation(may="refused, 2 person, stall")
def buying_anew_forgets_what_is_on_its_way(patch: pytest.MonkeyPatch) -> None:
    def wrong(row: LookupState, n: int) -> Change | None:
        if row.status not in ("kept", "refused"):
            return None
        return Change(replace(row, status="pending", base=row.n, tries=0, due=None, answers=()))

    patch.setattr(rule, "again", wrong)


@mutation(may="loss, stall, person, repeat")
def a_decision_is_about_any_attempt(patch: pytest.MonkeyPatch) -> None:
    decide = rule.decide
    patch.setattr(rule, "decide", lambda row, n, *, again: decide(row, row.n, again=again))


@mutation(may="2 unusable, person, repeat")
def buying_anew_twice_by_one_request(patch: pytest.MonkeyPatch) -> None:
    again = rule.again
    patch.setattr(rule, "again", lambda row, n: again(row, row.n))


@mutation(may="cancel")
def an_owner_that_gives_up_keeps_what_it_received(patch: pytest.MonkeyPatch) -> None:
    lose = rule.lose
    patch.setattr(
        rule, "lose", lambda row, owner, n: lose(row, owner, n) if row.status == "sent" else None
    )


@mutation(may="loss, reading")
def what_was_charged_is_bought_again(patch: pytest.MonkeyPatch) -> None:
    reconcile = rule.reconcile

    def wrong(row: LookupState, n: int, charged: int) -> Change | None:
        change = reconcile(row, n, 0)
        return change and Change(change.row, (Settlement(n, charged),))

    patch.setattr(rule, "reconcile", wrong)


@mutation(may="stall, reading")
def a_reading_hides_a_late_answer(patch: pytest.MonkeyPatch) -> None:
    def wrong(row: LookupState, n: int, charged: int) -> Change | None:
        status: rule.Status = "kept" if charged else "pending"
        row = replace(row, status=status, base=row.n)
        return Change(row, (Settlement(n, charged),))

    patch.setattr(rule, "reconcile", wrong)


@mutation(may="unusable, repair")
def a_repaired_answer_stays_kept(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(rule, "judge_again", lambda row, n, judgement: None)
