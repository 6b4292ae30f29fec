"""Random histories of a ledger. See `machine.py`; `nox -s campaign` runs 10^5 steps."""

from __future__ import annotations

import os

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from lix_async.ledger import erased_rows

from . import machine
from .machine import LedgerMachine
from .model_cases import MUTATIONS
from .test_identity_model import MUTATIONS as IDENTITY_MUTATIONS
from .test_programs import MUTATIONS as PROGRAM_MUTATIONS

STEPS = int(os.environ.get("LIX_STEPS", "2000"))
LENGTH = 50
SETTINGS = settings(
    max_examples=max(STEPS // LENGTH, 1),
    stateful_step_count=LENGTH,
    deadline=None,
    database=None,
    derandomize=STEPS <= 2000,  # the suite is the same every time, the campaign is not
    suppress_health_check=list(HealthCheck),
    phases=[Phase.generate],  # a history of files takes too long to be made shorter
    report_multiple_bugs=False,
)
VISIBLE = {
    "send takes what is in doubt",
    "any answer ends the attempt in flight",
    "the cap is not reserved",
    "what is lost is pending",
    "what is lost costs nothing",
    "release makes it pending",
    "release forgets what was received",
    "stored answers are forgotten",
    "a late answer does not beat a refusal",
    "what never left stays announced",
    "a listing ends with its first page",
    "the totals forget what is lost",
}
"""Mutations that show in random histories too, and not only in the model."""


def test_random_histories() -> None:
    run_state_machine_as_test(LedgerMachine, settings=SETTINGS)


MAKERS = {mutation.name: mutation.make for mutation in MUTATIONS if mutation.name in VISIBLE}
NOT_TURNED_AWAY = "nothing is turned away"
MAKERS[NOT_TURNED_AWAY] = IDENTITY_MUTATIONS[NOT_TURNED_AWAY][1]
OF_VERSIONS = (
    "versions of other lookups are not compared",
    "versions of others are compared",
    "whom older answers are about is lost",
    "the history has answers about others",
)
MAKERS.update((name, PROGRAM_MUTATIONS[name]) for name in OF_VERSIONS)


def what_is_a_day_too_old_stays(patch: pytest.MonkeyPatch) -> None:
    right = machine._purge
    patch.setattr(
        machine,
        "_purge",
        lambda db, after, before, now: right(db, after, before - machine.DAY, now),
    )


def lookups_of_a_person_stay(patch: pytest.MonkeyPatch) -> None:
    """Only what is named by its key is erased, and not what is about the person."""
    patch.setattr(
        erased_rows,
        "erase_lookups",
        lambda db, ids, now, erased: None if erased.subjects else ERASE(db, ids, now, erased),
    )


ERASE = erased_rows.erase_lookups
MAKERS["what is a day too old stays"] = what_is_a_day_too_old_stays
MAKERS["lookups of a person stay"] = lookups_of_a_person_stay


@pytest.mark.skipif(STEPS <= 2000, reason="takes minutes: part of `nox -s campaign`")
@pytest.mark.parametrize("name", MAKERS)
def test_mutations_show_in_random_histories(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    MAKERS[name](monkeypatch)
    many = settings(SETTINGS, max_examples=4000)
    with pytest.raises(AssertionError):
        run_state_machine_as_test(LedgerMachine, settings=many)
