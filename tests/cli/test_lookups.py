"""`lix person`, `org`, `email`, `account` and `call`: one answer each."""

from __future__ import annotations

import csv
import io
import json
import sys
from pathlib import Path

import msgspec
import pytest

from lix_async.cli.endpoint_list import endpoint_table, method_names
from lix_async.cli.providers import all_endpoints
from lix_async.providers.lix.endpoints import BY_ID
from lix_async.sandbox import running

from .conftest import Lix
from .sandbox_helpers import ObservedSandbox

L = "https://www.linkedin.com"
ADA = "https://www.linkedin.com/in/ada-example"
ACME = "https://www.linkedin.com/company/acme"


@pytest.mark.parametrize(
    ("command", "link", "key", "endpoint"),
    [
        ("person", ADA, "name", "person.get"),
        ("person", "ada.example@example.com", "name", "person.get"),
        ("person", "https://www.linkedin.com/sales/lead/ACwAAexample01", "name", "person.get"),
        ("org", ACME, "liOrganisation", "organisation.by_linkedin"),
        ("org", f"{L}/sales/company/1000001", "liOrganisation", "organisation.by_linkedin"),
        ("email", ADA, "status", "contact.email_by_linkedin"),
    ],
)
def test_an_answer_is_printed_as_received(
    lix: Lix, sandbox: ObservedSandbox, command: str, link: str, key: str, endpoint: str
) -> None:
    found = lix(command, link)
    price = "0 credits" if command == "email" else "1 credit"
    assert (found.code, found.err) == (0, f"{price}\n")
    assert key in found.rows[0]
    assert [one.endpoint for one in sandbox.requests] == [endpoint]


def test_an_answer_in_a_file_and_as_a_table(lix: Lix) -> None:
    assert lix("person", ADA, "--out", "ada.csv").code == 0
    (row,) = csv.DictReader(Path("ada.csv").read_text().splitlines())
    assert row["link"] == ADA
    assert Path("ada.csv").stat().st_mode & 0o777 == 0o600
    assert lix("person", ADA, "--out", "ada.csv").code == 2
    shown = lix("person", ADA, "--format", "table").out
    assert shown.index("name") < shown.index("description") < shown.index("experience")
    assert list(lix("person", ADA, "--columns", "name").rows[0]) == ["name"]


@pytest.mark.parametrize(
    ("arguments", "hint"),
    [
        (["person", ACME], 'lix org "URL"'),
        (["org", ADA], 'lix person "URL"'),
        (["email", ACME], 'lix org "URL"'),
        (["person", "ada-example"], ADA),
        (["org", "acme"], ACME),
        (["person", f"{L}/search/results/people/?keywords=x"], 'search people "URL"'),
        (["person", ""], ""),
    ],
)
def test_a_link_for_another_command_has_a_hint(
    lix: Lix, sandbox: ObservedSandbox, arguments: list[str], hint: str
) -> None:
    found = lix(*arguments)
    assert (found.code, hint in found.err) == (2, True)
    assert not sandbox.requests


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        ("params_invalid", 1),
        ("unauthorized", 3),
        ("quota", 4),
        ("daily_limit", 4),
        ("not_found", 5),
        ("unknown_record", 5),
        ("viewer_invalid", 1),
        ("html200", 1),
        ("rate_limit;retry-after=600", 1),
        ("unavailable;retry-after=600", 1),
    ],
)
def test_every_refusal_has_its_exit_code(
    lix: Lix, monkeypatch: pytest.MonkeyPatch, fault: str, code: int
) -> None:
    with running(ObservedSandbox(faults=[fault])) as url:
        monkeypatch.setenv("LIX_BASE_URL", url)
        found = lix("person", ADA)
    assert (found.code, found.out) == (code, "")
    assert found.err.startswith("error: person.get:")
    assert len(found.err.splitlines()) <= 2


def test_a_deadline_and_a_lost_connection(lix: Lix, monkeypatch: pytest.MonkeyPatch) -> None:
    sandbox = ObservedSandbox(faults=["slow;seconds=20"])
    with running(sandbox) as url:
        monkeypatch.setenv("LIX_BASE_URL", url)
        found = lix("person", ADA, "--deadline", "0.2")
        assert (found.code, "--deadline" in found.err) == (6, True)
    found = lix("person", ADA, "--deadline", "0.2")
    assert found.code == 6


def test_a_key_is_read_from_stdin_and_never_printed(
    lix: Lix, monkeypatch: pytest.MonkeyPatch
) -> None:
    with running(ObservedSandbox(keys=["sesame-sentinel"])) as url:
        monkeypatch.setenv("LIX_BASE_URL", url)
        assert lix("person", ADA).code == 3
        monkeypatch.setattr(sys, "stdin", io.StringIO("sesame-sentinel\n"))
        found = lix("person", ADA, "--api-key-stdin", "--auth", "query")
        assert found.code == 0
        monkeypatch.setattr(sys, "stdin", io.StringIO(""))
        assert lix("person", ADA, "--api-key-stdin").code == 3
        monkeypatch.setenv("LIX_API_KEY", "sesame sentinel")
        refused = lix("person", ADA)
    assert refused.code == 2
    assert "sesame" not in refused.err + found.out + found.err


def test_the_account_shows_balances_and_their_renewal(lix: Lix) -> None:
    (row,) = lix("account").rows
    assert row["balances"]["linkedInBalance"] == 50_000  # type: ignore[index]
    shown = lix("account", "--format", "table").out
    assert "50,000" in shown
    assert "renewed" in shown
    assert "(in " in shown


def test_every_endpoint_is_listed(lix: Lix) -> None:
    shown = lix("call", rate="").out
    assert shown == lix("call", "--list", rate="").out == "\n".join(endpoint_table()) + "\n"
    known = method_names()
    assert known.keys() == all_endpoints().keys() > BY_ID.keys()
    for row in all_endpoints().values():
        assert row.id in shown
        assert known[row.id] in shown
        for name in row.params.__struct_fields__:
            assert f"--{name.replace('_', '-')}" in shown
    assert all(len(line) <= 90 for line in shown.splitlines())


def test_any_endpoint_can_be_called_and_listings_are_fetched_completely(lix: Lix) -> None:
    assert lix("call", "person.get", "--profile-link", ADA).rows[0]["link"] == ADA
    assert lix("call", "ids.person", "--li-flagship-id", "ada").code == 0
    facets = lix("call", "facets.sales", "--query", "a", "--type", "TITLE", "--limit", "3")
    assert len(facets.rows) == 3
    viewers = lix("call", "linkedin_account.list", "--out", "viewers.csv")
    assert viewers.code == 0
    assert len(Path("viewers.csv").read_text().splitlines()) > 6


def test_params_are_converted_and_checked(lix: Lix, sandbox: ObservedSandbox) -> None:
    skill = '[{"text":"Go","entity":"urn:li:ts_skill:1"}]'
    people = lix("call", "recruiter.search_people", "--skills", skill, "--limit", "2")
    assert len(people.rows) == 2
    assert lix("call", "recruiter.search_people", "--skills", skill[1:-1], "--limit", "1").code == 0
    asked = len(sandbox.requests)
    for arguments, said in (
        (["person.gt"], "did you mean person.get"),
        (["nothing.alike.at.all"], "`lix call` lists all endpoints"),
        (["person.get"], "exactly one"),
        (["person.get", "--profil-link", ADA], "takes [--profile-link]"),
        (["person.get", "--profile-link", "https://example.com"], "linkedin.com"),
        (["facets.sales", "--query", "a"], "missing `type`"),
        (["facets.sales", "--query", "a", "--type", "TITLE", "--count", "many"], "Expected `int`"),
        (["recruiter.search_people", "--skills", "Go"], "write it as JSON"),
        (["recruiter.search_people", "--skills", "[{"], "invalid JSON"),
        (["enrich.job", "--job-id", "@nofile"], "cannot read nofile"),
    ):
        found = lix("call", *arguments)
        assert (found.code, said in found.err) == (2, True), (arguments, found.err)
    assert len(sandbox.requests) == asked


def test_values_are_read_from_files_and_stdin(lix: Lix, monkeypatch: pytest.MonkeyPatch) -> None:
    cookies = json.dumps([{"key": "li_at", "value": "sesame-sentinel"}])
    Path("cookies.json").write_text(cookies)
    found = lix("call", "linkedin_account.put", "--cookies", "@cookies.json")
    assert (found.code, "viewer_id" in found.out) == (0, True)
    monkeypatch.setattr(sys, "stdin", io.StringIO(cookies))
    assert lix("call", "linkedin_account.put", "--cookies", "@-").code == 0
    Path("cookies.json").write_text('[{"key": "sesame-sentinel"}]')
    refused = lix("call", "linkedin_account.put", "--cookies", "@cookies.json")
    assert (refused.code, "sesame" in refused.err) == (2, False)


def test_the_viewer_option_fills_the_param(lix: Lix, sandbox: ObservedSandbox) -> None:
    assert lix("call", "linkedin_account.get").code == 2
    assert lix("call", "linkedin_account.get", "--viewer", "example-viewer-1").code == 0
    asked = sandbox.requests[-1].input
    assert asked is not None
    assert msgspec.json.decode(asked)["viewer_id"] == "example-viewer-1"


def test_a_body_is_printed_as_received(lix: Lix, sandbox: ObservedSandbox) -> None:
    found = lix("call", "account.balances")
    assert found.out.endswith("}\n")
    assert lix("call", "account.balances", "--format", "csv").out.startswith("emailBalance,")


def test_a_file_of_certificates_is_named_if_it_has_none(lix: Lix, tmp_path: Path) -> None:
    file = tmp_path / "ca.pem"
    file.write_text("no certificate")
    found = lix("person", ADA, "--ca-file", str(file))
    assert (found.code, "ca.pem' has no certificate" in found.err) == (2, True)


@pytest.mark.parametrize(
    ("command", "link", "hint"),
    [
        ("person", "https://example.com/x", "copy it from the browser's address bar"),
        ("person", "ada", "did you mean https://www.linkedin.com/in/ada?"),
        ("org", "acme.com", "for the companies of websites: lix enrich FILE --as website"),
        ("org", "a b", "copy it from the browser's address bar"),
    ],
)
def test_each_wrong_link_has_a_hint(
    lix: Lix, sandbox: ObservedSandbox, command: str, link: str, hint: str
) -> None:
    found = lix(command, link)
    assert (found.code, len(sandbox.ledger)) == (2, 0)
    assert hint in found.err
