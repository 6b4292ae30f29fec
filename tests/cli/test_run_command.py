"""`lix run`: the status of a ledger, parking, and lookups in doubt."""

from __future__ import annotations

from pathlib import Path

import pytest

from lix_async.cli.ledger.address import display_address, ledger_address, redact_password
from lix_async.ledger.personal import personal_path
from lix_async.ledger.store import Store

from .conftest import Lix
from .ledgers import NOW, L, LookupMaker, every_status, filled, nothing


@pytest.fixture
def ledger(lix: Lix) -> str:
    """A ledger with every status in it, in the current folder."""
    assert lix
    return str(filled(Path("l.db")))


def status(lix: Lix, *more: str) -> dict[str, object]:
    (row,) = lix("run", "status", "l.db", *more, rate="").rows
    return row


def doubts(lix: Lix, *more: str) -> list[dict[str, object]]:
    return lix("run", "doubts", "l.db", *more, rate="").rows


def test_status_as_json(lix: Lix, ledger: str) -> None:
    assert status(lix) == {
        "store": ledger,
        "pending": 1,
        "sent": 0,
        "received": 1,
        "queued": 1,
        "done": 1,
        "kept": 1,
        "refused": 2,
        "in_doubt": 2,
        "credits": 2,
        "maybe": 2,
        "due": NOW + 60,
        "parked": None,
    }


def test_status_as_a_table(lix: Lix, ledger: str) -> None:
    lix("run", "park", ledger, "--reason", "lunch", rate="")
    found = lix("run", "status", ledger, "--format", "table", rate="")
    text = " ".join((found.out + found.err).split())
    for part in (
        "In doubt 2",
        "Queued 1 next one due",
        "Unreadable 1 charged, and this version cannot read the answer",
        "Received 1 answered, not read yet",
        "Credits 2 spent; up to 2 more may have been charged",
        "parked: lunch",
    ):
        assert part in text
    assert "lix run doubts" in text

    filled(Path("empty.db"), nothing)
    empty = lix("run", "status", "empty.db", "--format", "table", rate="")
    assert "no lookups yet" in empty.out
    assert "doubts" not in empty.err


def test_parking_and_resuming(lix: Lix, ledger: str) -> None:
    assert lix("run", "park", ledger, rate="").code == 0
    assert status(lix)["parked"] == "parked by hand"
    assert "resumed" in lix("run", "resume", ledger, rate="").err
    assert status(lix)["parked"] is None
    assert "not parked" in lix("run", "resume", ledger, rate="").err
    assert lix("run", "park", ledger, "--reason", " ", rate="").code == 2


def test_doubts_are_only_listed_by_default(lix: Lix, ledger: str) -> None:
    emil, gus = doubts(lix)
    lost = {"input": f"{L}/emil", "kind": "person", "since": NOW, "error": "connection lost"}
    assert emil == lost
    since = gus.pop("since")  # since its owner is gone
    assert gus == {"input": f"{L}/gus", "kind": "person", "error": None}
    assert isinstance(since, float)
    assert since > NOW
    found = lix("run", "doubts", ledger, "--format", "table", rate="")
    assert "/emil" in found.out
    assert "--retry" in found.err
    assert status(lix)["in_doubt"] == 2
    assert lix("run", "doubts", ledger, "--retry", "--drop", rate="").code == 2


@pytest.mark.parametrize(("flag", "becomes"), [("--retry", "pending"), ("--drop", "refused")])
def test_all_doubts_at_once(lix: Lix, ledger: str, flag: str, becomes: str) -> None:
    before = status(lix)
    found = lix("run", "doubts", ledger, flag, rate="")
    assert (found.code, found.err[:9]) == (0, "2 lookups")
    after = status(lix)
    assert (after["in_doubt"], after[becomes]) == (0, int(str(before[becomes])) + 2)
    again = lix("run", "doubts", ledger, flag, rate="")
    assert (again.code, again.err) == (0, "no lookups are in doubt\n")


def test_one_doubt_by_any_form_of_its_link(lix: Lix) -> None:
    async def some(store: Store) -> None:
        await every_status(store)
        given = [
            ("person.get", {"email": "Hal@example.com"}),
            ("contact.email_by_linkedin", f"{L}/emil"),
            ("jobs.get", 17),
        ]
        for number, (endpoint, what) in enumerate(given, start=20):
            await LookupMaker(store, number, endpoint, what).lose()

    filled(Path("l.db"), some)
    other_link = "http://fr.linkedin.com/in/EMIL/?trk=x"
    assert {row["kind"] for row in doubts(lix, "--input", other_link)} == {"person", "email"}
    assert lix("run", "doubts", "l.db", "--drop", "--input", other_link, rate="").code == 0
    assert len(doubts(lix)) == 3
    assert lix("run", "doubts", "l.db", "--drop", "--input", other_link, rate="").code == 5
    assert lix("run", "doubts", "l.db", "--input", "who@example.com", rate="").code == 5
    assert len(doubts(lix, "--input", " hal@EXAMPLE.com")) == 1
    assert "stopped before an answer" in " ".join(
        lix("run", "doubts", "l.db", "--input", "17", "--format", "table", rate="").out.split()
    )
    assert lix("run", "doubts", "l.db", "--retry", "--input", "17", rate="").code == 0


def test_what_was_refused_or_cannot_be_read_is_bought_again_on_request(
    lix: Lix, ledger: str
) -> None:
    before = status(lix)
    for link in ("mailto:BOB@example.com", "https://de.linkedin.com/in/Carl/"):
        found = lix("run", "again", ledger, "--input", link, rate="")
        assert (found.code, found.err[:22]) == (0, "1 lookup pending again"), found.err
    after = status(lix)
    assert (after["refused"], after["kept"], after["pending"]) == (1, 0, 3)
    assert (after["credits"], after["maybe"]) == (before["credits"], before["maybe"])
    for link in (f"{L}/ada", f"{L}/emil", f"{L}/carl"):  # found, in doubt, pending
        found = lix("run", "again", ledger, "--input", link, rate="")
        assert (found.code, "is refused or unreadable" in found.err) == (5, True)
    assert lix("run", "again", ledger, rate="").code == 2
    assert lix("run", "again", ledger, "--unattested", "--input", "x", rate="").code == 2


def test_what_only_bare_statuses_have_refused_is_bought_again_on_request(lix: Lix) -> None:
    async def some(store: Store) -> None:
        await LookupMaker(store, 1, "person.get", f"{L}/ada").judge(
            "unattested", 404, b"<html>", final=True
        )
        await LookupMaker(store, 2, "person.get", f"{L}/bob").judge("refused", 404, b"{}")
        await LookupMaker(store, 3, "person.get", f"{L}/carl").judge("unattested", 404, b"")

    assert lix
    filled(Path("l.db"), some)
    found = lix("run", "again", "l.db", "--unattested", rate="")
    assert (found.code, found.err[:22]) == (0, "1 lookup pending again")
    assert (status(lix)["pending"], status(lix)["refused"]) == (2, 1)
    found = lix("run", "again", "l.db", "--unattested", rate="")
    assert (found.code, "without the provider's own error" in found.err) == (5, True)


def test_the_table_of_doubts_is_limited(lix: Lix, monkeypatch: pytest.MonkeyPatch) -> None:
    async def some(store: Store) -> None:
        for number in range(5):
            await LookupMaker(store, number, "person.get", f"{L}/p-{number}").lose()

    filled(Path("l.db"), some)
    monkeypatch.setattr("lix_async.cli.ledger.in_doubt.MAX_TABLE_ROWS", 3)
    found = lix("run", "doubts", "l.db", "--format", "table", rate="")
    assert found.out.count("/p-") == 3
    assert "2 more" in found.err


def test_ledgers_that_cannot_be_opened(lix: Lix, monkeypatch: pytest.MonkeyPatch) -> None:
    missing = lix("run", "status", rate="")
    assert (missing.code, "LIX_STORE" in missing.err) == (2, True)
    for command in ("status", "export", "park", "resume", "doubts"):
        found = lix("run", command, "gone.db", rate="")
        assert (found.code, "gone.db" in found.err) == (2, True)
    assert not Path("gone.db").exists()
    Path("text.db").write_text("no ledger" * 1000)
    assert lix("run", "status", "text.db", rate="").code == 2
    filled(Path("l.db"))
    monkeypatch.setenv("LIX_STORE", "l.db")
    (row,) = lix("run", "status", rate="").rows
    assert row["store"] == "l.db"


SECRET = "postgresql://me:s3cr%65t@db.example.com:5432/leads?password=other&x=1"


def test_a_password_is_never_displayed() -> None:
    assert display_address(SECRET) == "postgresql://me@db.example.com:5432/leads"
    assert display_address("postgres://db/leads") == "postgresql://db/leads"
    assert display_address("postgresql://me:pass@[bad/x") == "postgresql://…"
    assert (
        redact_password("no such host: s3cr%65t, s3cret, other", SECRET) == "no such host: …, …, …"
    )
    split = redact_password('host name "cret@db" is unknown', "postgresql://me:se@cret@db/x")
    assert "cret" not in split
    assert redact_password("me:x", "me:x.db") == "me:x"
    assert ledger_address("  ") == str(personal_path())
