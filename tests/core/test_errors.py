"""The hierarchy of exceptions and their attributes."""

from __future__ import annotations

import copy
import pickle
import re

import pytest

from lix_async.core import errors
from lix_async.core.errors import EXCERPT, LixError, excerpt


def drawn(cls: type, indent: str = "") -> list[str]:
    lines = []
    kinds = [kind for kind in cls.__subclasses__() if kind.__module__ == errors.__name__]
    for kind in kinds:
        last = kind is kinds[-1]
        lines.append(f"{indent}{'└── ' if last else '├── '}{kind.__name__}")
        lines += drawn(kind, indent + ("    " if last else "│   "))
    return lines


def test_the_tree_in_the_module_docstring_is_the_class_hierarchy():
    assert errors.__doc__ is not None
    drawing = re.findall(r"^(?:LixError|[│ ]*[├└]── \w+)$", errors.__doc__, re.MULTILINE)
    assert drawing == ["LixError", *drawn(LixError)]


def test_every_error_of_the_module_is_in_the_tree():
    classes = [kind for kind in vars(errors).values() if isinstance(kind, type)]
    kinds = [kind for kind in classes if kind.__module__ == errors.__name__]
    assert len(kinds) > 15
    assert all(issubclass(kind, LixError) for kind in kinds)


def every(cls: type[LixError]) -> list[type[LixError]]:
    return [cls, *(kind for sub in cls.__subclasses__() for kind in every(sub))]


FACTS: dict[str, object] = {
    "endpoint": "thing.get", "attempts": 3, "sent": True, "permanent": True, "retry_at": 1.5,
    "status": 429, "kind": "rate_limit", "retry_after": 2.5, "body": "…", "path": "$.a[0]",
    "request_id": "r-1",
}  # fmt: skip


@pytest.mark.parametrize("kind", every(LixError), ids=lambda kind: kind.__name__)
@pytest.mark.parametrize("copied", [copy.copy, lambda error: pickle.loads(pickle.dumps(error))])
def test_every_error_can_be_pickled_and_copied_with_its_attributes(kind, copied):
    taken = set(kind.__init__.__code__.co_varnames[: kind.__init__.__code__.co_kwonlyargcount + 2])
    facts = {name: value for name, value in FACTS.items() if name in taken}
    if kind is errors.DecodeError:
        facts["body"] = b"{}"
    error = kind("it went wrong", **facts)
    if kind is errors.DailyLimitError:
        error.refreshes_at = 17.0
    error.add_note("a note of the caller's own")
    again = copied(error)
    assert type(again) is kind
    assert (str(again), again.args) == (str(error), ("it went wrong",))
    assert vars(again) == vars(error)
    assert {name: getattr(again, name) for name in facts} == facts


def test_an_error_text_has_the_endpoint_and_the_status():
    assert str(LixError("it went wrong")) == "it went wrong"
    assert str(LixError("it went wrong", endpoint="a.b")) == "a.b: it went wrong"
    assert str(errors.RefusalError("no", status=402, kind="quota")) == "no (402 quota)"
    assert str(errors.RefusalError("no", kind="quota", endpoint="a.b")) == "a.b: no (quota)"
    assert str(errors.RefusalError("no", status=401, kind="401")) == "no (401)"
    assert str(errors.RefusalError("no")) == "no"
    silent = LixError("it went wrong")
    silent.args = ()
    assert str(silent) == "LixError"


def test_the_default_attributes_of_errors():
    refusal = errors.DailyLimitError("no")
    assert (refusal.endpoint, refusal.attempts, refusal.status) == (None, 0, 0)
    assert (refusal.message, refusal.retry_after, refusal.refreshes_at) == ("no", None, None)
    late = errors.DeadlineError("late")
    assert (late.sent, late.permanent, late.retry_at) == (False, True, None)
    assert late.retry_after is None, "every error has it: programs read it from any LixError"
    pending = errors.PendingError("still runs", request_id="r-1")
    assert (pending.sent, pending.request_id) == (True, "r-1")


def test_an_excerpt_is_short_and_has_the_size_of_the_body():
    assert excerpt(b"") == ""
    assert excerpt("Köln".encode()) == "Köln"
    assert excerpt(b"\xff\x00ok") == "\\xff\x00ok"
    assert excerpt(b"x" * EXCERPT) == "x" * EXCERPT
    assert excerpt(b"x" * (EXCERPT + 1)) == "x" * EXCERPT + f"… ({EXCERPT + 1} bytes)"
    assert errors.DecodeError("no", body=b"y" * 5000).excerpt.endswith("… (5000 bytes)")
    assert errors.DecodeError("no", body=b"y" * 5000).body == b"y" * 5000
