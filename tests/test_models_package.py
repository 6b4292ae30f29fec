"""`lix_async.models`: every type that a public method returns, and the structs inside it."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
import subprocess
import sys
from collections.abc import Iterator
from types import ModuleType
from typing import get_args, get_type_hints

import msgspec
import pytest
from structs import PROVIDERS, fields_of, provider_structs

import lix_async
from lix_async.core.bridge import ReadableStruct
from lix_async.core.models import OpenObject


def module(provider: str) -> ModuleType:
    name = "lix_async.models" if provider == "lix" else f"lix_async.models.{provider}"
    return importlib.import_module(name)


def returned(provider: str) -> Iterator[object]:
    """What the public methods of a provider's client return."""
    package = importlib.import_module(f"lix_async.providers.{provider}")
    for info in pkgutil.walk_packages(package.__path__, package.__name__ + "."):
        if {"client", "resources", "webhooks"}.isdisjoint(info.name.split(".")):
            continue
        found = importlib.import_module(info.name)
        for cls in vars(found).values():
            if inspect.isclass(cls) and cls.__module__ == info.name and cls.__name__[0] != "_":
                for name, member in vars(cls).items():
                    function = getattr(member, "__func__", member)
                    if inspect.isfunction(function) and not name.startswith("_"):
                        yield (
                            inspect.signature(function).return_annotation,
                            vars(sys.modules[function.__module__]),
                        )


def inside(kind: object) -> Iterator[type]:
    """The structs and open objects of a type, with those of their fields."""
    pending, seen = [kind], set[type]()
    while pending:
        one = pending.pop()
        pending += get_args(one)
        if not isinstance(one, type) or one in seen or get_args(one):
            continue
        seen.add(one)
        if issubclass(one, (ReadableStruct, OpenObject)):
            yield one
            pending += [field.type for field in fields_of(one)]
            for member in vars(one).values():  # the objects inside of open ones
                if isinstance(member, property):
                    pending.append(get_type_hints(member.fget).get("return"))


@pytest.mark.parametrize("provider", PROVIDERS)
def test_every_type_that_a_method_returns_is_there(provider: str) -> None:
    there = vars(module(provider))
    missing, count = set(), 0
    for annotation, names in returned(provider):
        kind = eval(annotation, names) if isinstance(annotation, str) else annotation
        for cls in inside(kind):
            count += 1
            if (
                cls.__module__.startswith("lix_async.providers")
                and there.get(cls.__name__) is not cls
            ):
                missing.add(cls.__name__)
    assert missing == set()
    assert count


@pytest.mark.parametrize("provider", PROVIDERS)
def test_nothing_but_structs_and_aliases_is_there(provider: str) -> None:
    for name, value in vars(module(provider)).items():
        if not name.startswith("__") and not inspect.ismodule(value):
            assert isinstance(value, type) or get_args(value), name
            if isinstance(value, type) and issubclass(value, (msgspec.Struct, OpenObject)):
                assert value in provider_structs() or value.__name__ == "WebhookEvent"


def test_the_structs_at_the_front_are_those_of_lix() -> None:
    models = module("lix")
    for name in ("Email", "JobPosting", "Organisation", "Person", "Post"):
        assert getattr(lix_async, name) is getattr(models, name)


def test_the_structs_of_one_provider_do_not_import_the_others() -> None:
    code = "import sys, lix_async.models.lookc; print('lix_async.providers.letrics' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
