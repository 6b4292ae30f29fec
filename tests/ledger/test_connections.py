"""What both databases do alike: transactions, owners, money shared by connections."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from lix_async.core.errors import BulkError
from lix_async.ledger.connection import EventsJob, LedgerNotFoundError, StatementJob
from lix_async.ledger.identity import FoundIds
from lix_async.ledger.records import Again, Decide, InputRow, Judge, Lose, NotLeft, Receive
from lix_async.ledger.rule import Judgement
from lix_async.ledger.schema import VERSION
from lix_async.ledger.sqlite import SqliteLedgerConnection
from lix_async.ledger.tables import SqlTables

from .conftest import OpenLedger
from .steps import NOW, USABLE, announce, apply, ask, found, judge, receive, send, spec


def test_a_lookup_is_announced_answered_and_judged(open_ledger: OpenLedger) -> None:
    ledger = open_ledger()
    (sent,) = announce(ledger, "ada")
    assert sent.result.applied
    assert (sent.result.owner, sent.result.state.n) == (ledger.owner, 1)
    (received,) = apply(ledger, receive(sent, b'{"name": "Ada"}'))
    assert received.state.status == "received"
    (judged,) = apply(ledger, judge(sent))
    assert (judged.state.status, judged.state.cur, judged.state.owner) == ("done", 1, 0)

    other = open_ledger()
    assert found(other, "ada").state == judged.state
    (answer,) = ask(other, lambda tables: tables.current([sent.lookup.id]))[sent.lookup.id]
    assert (answer.n, answer.http, answer.body, answer.meaning) == (
        *(1, 200, b'{"name": "Ada"}'),
        "usable",
    )
    counts = ask(other, lambda tables: tables.counts())
    assert (counts.done, counts.credits, counts.maybe) == (1, 1, 0)


def test_an_answer_that_is_received_and_judged_in_one_transaction(open_ledger: OpenLedger) -> None:
    ledger = open_ledger()
    (sent,) = announce(ledger, "ada")
    *_, judged = apply(ledger, receive(sent), judge(sent))
    assert judged.state.status == "done"
    assert ask(ledger, lambda tables: len(tables.history(sent.lookup.id))) == 1


def test_equal_calls_in_one_transaction_share_a_lookup(open_ledger: OpenLedger) -> None:
    ledger = open_ledger()
    first, second, other = announce(ledger, "ada", "ada", "bob")
    assert first.lookup.id == second.lookup.id != other.lookup.id
    assert (first.result.applied, second.result.applied) == (True, False)


def test_only_one_of_two_connections_announces(open_ledger: OpenLedger) -> None:
    one, other = open_ledger(), open_ledger()
    assert announce(one, "ada")[0].result.applied
    (lost,) = announce(other, "ada")
    assert not lost.result.applied
    assert lost.result.state.owner == one.owner
    assert not apply(one, send(lost.lookup.id, n=0))[0].applied  # nor its owner a second time


def test_events_that_come_twice_change_nothing(open_ledger: OpenLedger) -> None:
    ledger = open_ledger()
    (sent,) = announce(ledger, "ada")
    transient = Judgement("transient", 0, due=NOW + 1)
    for event in (receive(sent), judge(sent, transient), receive(sent), judge(sent, transient)):
        apply(ledger, event)
    state = found(ledger, "ada").state
    assert (state.status, state.tries, state.due, len(state.answers)) == ("pending", 1, NOW + 1, 1)


def test_a_group_is_written_whole_or_not_at_all(open_ledger: OpenLedger) -> None:
    ledger = open_ledger()
    (sent,) = announce(ledger, "ada")

    def fail(_: object) -> None:
        raise BulkError("no")

    with pytest.raises(BulkError, match="no"):
        ledger.run([EventsJob([receive(sent)]), StatementJob(fail)])
    assert found(ledger, "ada").state.status == "sent"
    assert apply(ledger, receive(sent))[0].state.status == "received"


def test_a_request_that_never_left_costs_nothing(open_ledger: OpenLedger) -> None:
    ledger = open_ledger()
    (sent,) = announce(ledger, "ada")
    lookup, owner = sent.lookup.id, sent.result.owner
    assert not apply(ledger, NotLeft(lookup, owner + 1, 1, NOW))[0].applied
    assert apply(ledger, NotLeft(lookup, owner, 1, NOW))[0].state.status == "pending"
    counts = ask(ledger, lambda tables: tables.counts())
    assert (counts.pending, counts.credits, counts.maybe) == (1, 0, 0)


def test_a_lost_request_is_in_doubt_until_somebody_decides(open_ledger: OpenLedger) -> None:
    ledger = open_ledger()
    (sent,) = announce(ledger, "ada")
    lookup = sent.lookup.id
    apply(ledger, Lose(lookup, sent.result.owner, 1, NOW))
    assert ask(ledger, lambda tables: tables.counts()).maybe == 1
    assert not apply(ledger, send(lookup, n=1))[0].applied
    assert apply(ledger, Decide(lookup, 1, True, NOW))[0].state.status == "pending"
    assert apply(ledger, send(lookup, n=1))[0].applied


def test_many_lookups_in_one_transaction(open_ledger: OpenLedger) -> None:
    ledger = open_ledger()
    names = [f"p{number}" for number in range(1100)]
    sent = announce(ledger, *names)
    assert all(one.result.applied for one in sent)
    apply(ledger, *map(receive, sent))
    results = apply(ledger, *map(judge, sent))
    assert {one.state.status for one in results} == {"done"}
    assert ask(ledger, lambda tables: tables.counts()).credits == 1100


def test_pages_of_a_listing(open_ledger: OpenLedger) -> None:
    ledger = open_ledger()
    added = ask(ledger, lambda tables: tables.add([spec("search", page=1)], NOW), writes=True)
    lookup = added[0].id
    for page, more in ((1, 2), (2, None)):
        n = page - 1
        assert apply(ledger, send(lookup, n=n))[0].applied
        apply(ledger, Receive(lookup, ledger.owner, page, page, 200, b"[%d]" % page, NOW))
        judgement = Judgement("usable", 1, next_page=more)
        position = b'{"page": %d}' % page
        event = Judge(lookup, ledger.owner, page, judgement, NOW, "answer", position, rows=b"[]")
        apply(ledger, event)
    pages = ask(ledger, lambda tables: tables.current([lookup]))[lookup]
    assert [(one.page, one.body, one.rows) for one in pages] == [
        (1, b"[1]", b"[]"),
        (2, b"[2]", b"[]"),
    ]
    state = found(ledger, "search")
    assert (state.state.status, state.position) == ("done", b'{"page": 1}')


def test_texts_notes_and_lists(open_ledger: OpenLedger) -> None:
    ledger = open_ledger()
    (sent,) = announce(ledger, "ada")
    lookup = sent.lookup.id
    apply(ledger, Lose(lookup, sent.result.owner, 1, NOW, "cut off: 50 % \N{SNOWMAN} ' \" \\ {}"))
    notes = ask(ledger, lambda tables: tables.notes([lookup]))
    assert notes == {lookup: (1, 0, 1, "cut off: 50 % \N{SNOWMAN} ' \" \\ {}")}
    run = ask(ledger, lambda tables: tables.begin_run("r", "m", "{}", None, NOW), writes=True)
    inputs = [InputRow(0, lookup), InputRow(1, None, "invalid", "no id", b'"x"', b"null")]
    for _ in range(2):
        ask(ledger, lambda tables: tables.add_inputs(run, inputs), writes=True)
    (page,) = ask(ledger, lambda tables: tables.page_of(0, 9, [7], None))
    assert page.id == lookup
    assert ask(ledger, lambda tables: tables.page_of(0, 9, [7], "other")) == []
    ask(ledger, lambda tables: tables.set_about("parked", "why"), writes=True)
    assert ask(ledger, lambda tables: tables.about("parked")) == "why"
    assert ask(ledger, lambda tables: tables.about("version")) == VERSION
    assert len(ask(ledger, lambda tables: tables.about("ledger_id")) or "") == 32


def test_a_refused_lookup_is_bought_again(open_ledger: OpenLedger) -> None:
    ledger = open_ledger()
    (sent,) = announce(ledger, "ada")
    apply(ledger, receive(sent, http=404), judge(sent, Judgement("refused", 0)))
    assert apply(ledger, Again(sent.lookup.id, 1, NOW))[0].state.status == "pending"
    assert apply(ledger, send(sent.lookup.id, n=1))[0].applied


def test_two_connections_share_the_cap_of_a_run(open_ledger: OpenLedger) -> None:
    one, other = open_ledger(), open_ledger()
    run = ask(one, lambda tables: tables.begin_run("r", "m", "{}", 3, NOW), writes=True)
    first = announce(one, "a", "b", run=run)
    second = announce(other, "c", "d", run=run)
    assert [x.result.applied for x in (*first, *second)] == [True, True, True, False]
    assert second[1].result.over_budget
    # Not found costs nothing: there is money for one more; then the cap is reached for good.
    apply(one, receive(first[0], http=404), judge(first[0], Judgement("refused", 0)))
    assert announce(other, "d", run=run)[0].result.applied
    apply(one, receive(first[1]), judge(first[1]))
    apply(other, Lose(second[0].lookup.id, other.owner, 1, NOW))
    assert announce(one, "e", run=run)[0].result.over_budget


def test_an_owner_that_closes_leaves_its_requests_in_doubt(open_ledger: OpenLedger) -> None:
    one, other = open_ledger(), open_ledger()
    ada, bob = announce(one, "ada", "bob")
    apply(one, receive(bob))
    one.close()
    assert found(other, "ada").state.status == "in_doubt"
    state = found(other, "bob").state
    assert (state.status, state.owner) == ("received", 0)
    assert apply(other, judge(bob))[0].state.status == "done"
    assert apply(other, receive(ada))[0].state.status == "received"  # late, and it counts


def test_a_silent_beat_is_a_dead_owner(open_ledger: OpenLedger) -> None:
    one, other = open_ledger(), open_ledger()
    clock = [0.0]
    other._monotonic = lambda: clock[0]
    announce(one, "ada")
    assert ask(other, other.release_dead, writes=True) == 0
    clock[0] += other.grace - 1
    ask(one, lambda tables: tables.beat(one.owner), writes=True)
    assert ask(other, other.release_dead, writes=True) == 0
    clock[0] += other.grace
    assert ask(other, other.release_dead, writes=True) == 1
    assert found(other, "ada").state.status == "in_doubt"
    assert ask(other, other.release_dead, writes=True) == 0


def test_an_owner_declared_dead_goes_on_under_another_number(open_ledger: OpenLedger) -> None:
    one, other = open_ledger(), open_ledger()
    (ada,) = announce(one, "ada")
    number = one.owner
    ask(other, lambda tables: tables.declare_dead(number), writes=True)
    (bob,) = announce(one, "bob")
    assert bob.result.applied
    assert bob.result.owner == one.owner != number
    assert apply(one, receive(ada))[0].state.status == "received"


def test_working_is_a_beat(open_ledger: OpenLedger) -> None:
    ledger = open_ledger()
    ask(ledger, lambda _: None)
    before = ask(ledger, lambda tables: tables.owners())
    announce(ledger, "ada")
    assert ask(ledger, lambda tables: tables.owners()) != before


def test_reading_needs_a_ledger_and_announces_nothing(open_ledger: OpenLedger) -> None:
    reader = open_ledger(read_only=True)
    with pytest.raises(LedgerNotFoundError):
        ask(reader, lambda tables: tables.counts())
    ledger = open_ledger()
    announce(ledger, "ada")
    assert found(reader, "ada").state.status == "sent"
    assert reader.owner == 0
    apply(ledger, Lose(found(ledger, "ada").id, ledger.owner, 1, NOW))
    lookup = found(reader, "ada").id
    assert apply(reader, Decide(lookup, 1, True, NOW))[0].applied
    assert not apply(reader, send(lookup, n=1))[0].applied


@pytest.mark.parametrize(
    ("version", "message"),
    [("6", "newer lix_async: update"), ("2.5", "older lix_async"), ("1", "older lix_async")],
)
def test_a_ledger_of_another_version_is_refused(
    open_ledger: OpenLedger, version: str, message: str
) -> None:
    ledger = open_ledger()
    ask(ledger, lambda tables: tables.set_about("version", version), writes=True)
    ledger.close()
    with pytest.raises(BulkError, match=f"of version {version}, .*{message}"):
        ask(open_ledger(), lambda tables: tables.counts())


def test_judgements_without_a_request_do_nothing(open_ledger: OpenLedger) -> None:
    ledger = open_ledger()
    event = Judge(12345, ledger.owner, 1, USABLE, NOW)
    assert not apply(ledger, event)[0].applied


@pytest.mark.parametrize("version", ["3", "4"])
def test_an_earlier_ledger_gets_the_tables_of_today(
    open_ledger: OpenLedger, schema: str, version: str
) -> None:
    """Version 4 kept ids of the older answers of a lookup that somebody else has by now."""
    ledger = open_ledger()
    slug, mine, other = (("slug", b"x"), ("sales", b"a"), ("sales", b"b"))
    for n, ids in enumerate([(slug, mine), (slug, other)]):
        (lookup,) = ask(ledger, lambda tables: tables.add([spec("a")], NOW), writes=True)
        (sent,) = apply(ledger, replace(send(lookup.id, n=n), expired=bool(n)))
        apply(
            ledger,
            Receive(lookup.id, sent.owner, n + 1, 0, 200, b"{}", NOW + n),
            Judge(lookup.id, sent.owner, n + 1, USABLE, NOW + n, found=(FoundIds(ids),)),
        )
    versions = "SELECT n, subject FROM answer ORDER BY n"
    before = ask(ledger, lambda tables: tables.database.execute(versions))
    assert [subject is None for _, subject in before] == [False, True]
    where = "" if isinstance(ledger, SqliteLedgerConnection) else f"{schema}."

    def change(tables: SqlTables) -> None:
        db = tables.database
        if version == "4":
            (answer,) = db.execute("SELECT id FROM answer WHERE n = 1")[0]
            db.insert("mention", "id, answer, row", [(mine[1], answer, 0)])
        tables.set_about("version", version)

    ask(ledger, change, writes=True)
    connection = ledger.connect().connection  # type: ignore[attr-defined]  # of both
    connection.execute(f"DROP INDEX {where}answer_subject")
    connection.execute(f"ALTER TABLE {where}answer DROP COLUMN subject")
    if version == "3":
        for table in ("old_key", "export"):
            connection.execute(f"DROP TABLE {where}{table}")
    ledger.close()

    again = open_ledger(read_only=True)

    assert ask(again, lambda tables: tables.about("version")) == VERSION
    assert ask(again, lambda tables: tables.database.execute("SELECT id FROM export")) == []
    assert found(again, "a").state.status == "done"
    after = ask(again, lambda tables: tables.database.execute(versions))
    assert after == (before if version == "4" else [(1, None), (2, None)])
