"""The clients that are imported late: `import lix_async` does not pay for them."""

from __future__ import annotations

import subprocess
import sys

import pytest

import lix_async

LATE: dict[str, str] = vars(lix_async)["_LATE"]


@pytest.mark.parametrize("name", LATE)
def test_the_front_door_has_every_client(name: str) -> None:
    assert getattr(lix_async, name).__name__ == name
    assert name in lix_async.__all__


def test_what_is_not_there_is_an_ordinary_error() -> None:
    with pytest.raises(AttributeError, match="has no attribute 'AsyncNobody'"):
        lix_async.AsyncNobody  # noqa: B018


def test_importing_the_package_imports_none_of_them() -> None:
    look = "import sys, lix_async; print(*(name for name in sys.modules if 'lix_async' in name))"
    done = subprocess.run([sys.executable, "-c", look], capture_output=True, text=True, check=True)
    assert "lix_async.engine.client" in done.stdout.split()
    assert not [name for name in LATE.values() if name in done.stdout]


def test_importing_the_package_imports_no_room_beside_the_clients() -> None:
    look = "import sys, lix_async; print(*(name for name in sys.modules if 'lix_async.' in name))"
    done = subprocess.run([sys.executable, "-c", look], capture_output=True, text=True, check=True)
    rooms = {name.split(".")[1] for name in done.stdout.split()}
    assert not rooms & {"bulk", "cli", "integrations", "sandbox", "testing"}
