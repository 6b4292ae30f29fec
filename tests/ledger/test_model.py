"""The rule in every state that processes and errors can bring about. See `model.py`.

`nox -s model` checks the large configurations too (`LIX_MODEL=1`).
"""

from __future__ import annotations

import os
import sys

import pytest

from .model import Config, check, in_circle
from .model_cases import LARGE, MUTATIONS, SMALL, Mutation

CONFIGURATIONS = (*SMALL, *LARGE) if os.environ.get("LIX_MODEL") else SMALL


@pytest.mark.parametrize("config", CONFIGURATIONS, ids=lambda config: config.name)
def test_no_state_breaks_an_invariant(config: Config) -> None:
    found = check(config)
    assert found.violation == "", " -> ".join(found.path)
    assert found.states > 100
    sys.stdout.write(f"{config.name}: {found.states:,} states in {found.seconds:.1f} s\n")


@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda mutation: mutation.name)
def test_every_mutation_of_the_rule_is_found(
    mutation: Mutation, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert check(mutation.config).violation == ""  # the rule itself has no fault there
    mutation.make(monkeypatch)
    found = check(mutation.config)
    assert found.violation[:2] in {"I1", "I2", "I3", "I4", "I5", "I6", "I7", "I9"}


def test_what_is_not_visited_is_no_success() -> None:
    assert check(SMALL[0], limit=50).violation == "too many states: not exhaustive"


def test_circles_are_found() -> None:
    assert in_circle([[1], [2], []]) is None
    assert in_circle([[1, 2], [2], [1]]) in (1, 2)
