"""The commands of how-to guides run as they are written."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import TYPE_CHECKING

from .conftest import Lix
from .sandbox_helpers import ObservedSandbox
from .test_enrich_ledger import links

if TYPE_CHECKING:
    import pytest

ROOT = Path(__file__).parents[2]
COMMAND = re.compile(r"^\$ lix (.*)$", re.MULTILINE)


def test_erasure_requests(lix: Lix, sandbox: ObservedSandbox) -> None:
    links(3, "people.csv")
    name, *_ = re.findall(r"https://\S+", Path("people.csv").read_text())
    commands = COMMAND.findall((ROOT / "docs/howto/erasure-requests.md").read_text())
    for command in commands:
        arguments = shlex.split(command.replace("https://www.linkedin.com/in/person-1", name))
        rate = "" if arguments[0] == "ledger" else "none"
        assert lix(*arguments, rate=rate).code == 0, command
    assert len(commands) == 5
    assert len(sandbox.ledger) == 3
    assert '"lix_status":"suppressed"' in Path("again.jsonl").read_text()


def test_overlapping_lists(
    lix: Lix, sandbox: ObservedSandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lix_async.cli.ledger.address.uses_sandbox", lambda _: False)
    links(3, "october.csv")
    links(5, "november.csv")
    commands = COMMAND.findall((ROOT / "docs/howto/overlapping-lists.md").read_text())
    charged = []
    for command in commands:
        arguments = shlex.split(command)
        rate = "" if arguments[0] in ("ledger", "run") else "none"
        assert lix(*arguments, rate=rate).code == 0, command
        charged.append(len(sandbox.ledger))
    assert charged[:3] == [3, 3, 5]
    assert len(commands) == 10


def test_search_to_a_file(lix: Lix, sandbox: ObservedSandbox) -> None:
    commands = COMMAND.findall((ROOT / "docs/howto/search-to-a-file.md").read_text())
    for command in commands:
        found = lix(*shlex.split(command))
        assert found.code == 0, (command, found.err)
    assert len(commands) == 7
