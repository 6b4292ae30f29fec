"""A key that the provider rejects: each command says so, and nothing is charged."""

from __future__ import annotations

from pathlib import Path

import pytest

from lix_async.sandbox import base_url_of

from .conftest import Lix
from .sandbox_helpers import ObservedSandbox

ADA = "https://www.linkedin.com/in/ada-example"
SEARCH = "https://www.linkedin.com/search/results/people/?keywords=engineer"
COMMANDS = {
    "person": ("person", ADA),
    "org": ("org", "https://www.linkedin.com/company/acme"),
    "email": ("email", ADA),
    "enrich": ("enrich", "in.csv", "--out", "out.csv"),
    "enrich a workbook": ("enrich", "in.csv", "--out", "out.xlsx"),
    "enrich each link": ("enrich", "in.csv", "--distinct", "--out", "out.csv"),
    "waterfall": ("waterfall", "in.csv", "--out", "out.csv"),
    "waterfall for each link": ("waterfall", "in.csv", "--distinct", "--out", "out.csv"),
    "search": ("search", "people", SEARCH, "--out", "out.csv"),
    "search and enrich": (
        *("search", "people", SEARCH, "--enrich", "--out", "out.csv"),
        *("--max-credits", "50"),
    ),
    "leads": ("leads", "--filter", "title=CTO"),
    "facets": ("facets", "TITLE", "cto"),
    "account": ("account",),
    "call": ("call", "person.get", "--profile-link", ADA),
}


@pytest.fixture(autouse=True)
def _rejected(lix: Lix, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LIX_API_KEY", "wrong")
    for name in ("LOOKC", "CONNECTSAFELY", "LETRICS", "MEETALFRED"):
        monkeypatch.delenv(f"{name}_API_KEY", raising=False)
    Path("in.csv").write_text(f"link\n{ADA}\n{ADA}-2\n")


@pytest.mark.parametrize("command", COMMANDS.values(), ids=COMMANDS)
def test_every_command_says_so(
    lix: Lix, sandbox: ObservedSandbox, command: tuple[str, ...]
) -> None:
    found = lix(*command)
    assert (found.code, found.out, len(sandbox.ledger)) == (3, "", 0), found.err
    assert "the API key is missing or not valid (401)" in found.err
    assert "hint: check LIX_API_KEY" in found.err
    assert "hint: run the same command again" not in found.err
    if "out.csv" in found.err.partition("error: ")[0]:
        assert Path("out.csv").exists()


def test_with_the_right_key_the_same_command_goes_on(
    lix: Lix, sandbox: ObservedSandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    for command in ("enrich", "waterfall"):
        again = command, "in.csv", "--out", f"{command}.csv"
        monkeypatch.setenv("LIX_API_KEY", "wrong")
        assert lix(*again).code == 3
        monkeypatch.setenv("LIX_API_KEY", "right")
        found = lix(*again)
        assert found.code == 0, found.err
        assert "pending" not in Path(f"{command}.csv").read_text()


def test_the_key_of_another_provider_is_named(
    lix: Lix, sandbox: ObservedSandbox, monkeypatch: pytest.MonkeyPatch, plain: tuple[object, str]
) -> None:
    monkeypatch.setenv("LIX_API_KEY", "right")
    monkeypatch.setenv("LOOKC_API_KEY", "wrong")
    monkeypatch.setenv("LOOKC_BASE_URL", base_url_of(plain[1], "lookc"))
    Path("in.csv").write_text("mail\nada@example.com\n")
    found = lix("waterfall", "in.csv", "--want", "company_url", "--out", "out.csv")
    assert found.code == 3, found.err
    assert "lookc." in found.err
    assert "hint: check LOOKC_API_KEY\n" in found.err
