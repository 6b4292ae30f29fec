"""Adapters are found in their package, loaded when needed, and skipped without a provider."""

from __future__ import annotations

import subprocess
import sys
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

import lix_async
from lix_async.engine.client import Client
from lix_async.waterfall import Profile, Result, installed, registry
from lix_async.waterfall.results import Company, Email

if TYPE_CHECKING:
    import pytest

PROVIDERS = Path(lix_async.__file__).parent / "providers"


def test_every_provider_that_is_there_has_an_adapter() -> None:
    there = sorted(path.parent.name for path in PROVIDERS.glob("*/provider.py"))
    adapters = installed()
    assert list(adapters) == there
    for adapter in adapters.values():
        assert issubclass(adapter.CLIENT, Client)


def test_a_provider_that_is_gone_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    gone = next(iter(installed()))
    real = registry.find_spec
    monkeypatch.setattr(
        registry, "find_spec", lambda name: None if name.endswith(f".{gone}") else real(name)
    )
    assert gone not in installed()


def test_importing_waterfall_loads_no_adapter() -> None:
    look = (
        "import sys, lix_async.waterfall; "
        "print(*(n for n in sys.modules if n.startswith('lix_async.waterfall.adapters')))"
    )
    done = subprocess.run([sys.executable, "-c", look], capture_output=True, text=True, check=True)
    assert not done.stdout.split()


def test_a_step_fills_only_fields_that_a_result_has() -> None:
    fields = {"person": Profile.fields() | Email.fields(), "company": Company.fields()}
    assert {"target", "errors"} <= set(Result.__struct_fields__)
    for name, adapter in installed().items():
        if adapter.NO_STEPS_REASON:
            continue
        made = adapter.CLIENT.__new__(adapter.CLIENT)  # no key, no connections: only its table
        module = import_module(f"lix_async.waterfall.adapters.{name}")
        for step in module.steps(made):
            assert step.fills
            assert step.fills <= fields[step.about]
            assert step.name.startswith(f"{name}.")
