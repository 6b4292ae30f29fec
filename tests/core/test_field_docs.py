"""The descriptions of fields, read from the source."""

from __future__ import annotations

import importlib
import inspect
import sys
from types import ModuleType
from typing import get_args

import msgspec
import pytest
from structs import OTHERS, fields_of, provider_structs

from lix_async.core import field_docs
from lix_async.core.field_docs import field_descriptions
from lix_async.core.models import ItemCounts
from lix_async.providers.lix.models import Person, SingleThread, WebsiteMatch


def test_fields_and_properties_are_described_on_one_line() -> None:
    found = field_descriptions(Person)
    assert found["li_id"] == "Public identifier: the last part of `linkedin.com/in/<li_id>`."
    assert found["full_name"] == "`name`, or first and last name."
    assert not any("\n" in text for text in found.values())
    assert not any(name.startswith("_") for name in found)


PACKAGES = (
    "lix_async",
    *(f"lix_async.{name}" for name in ("bulk", "events", "identity", "ledger", "linkedin")),
    *("lix_async.sandbox", "lix_async.waterfall", "lix_async.integrations.fastapi"),
)


def exported_structs() -> dict[type, None]:
    """The structs that the packages export, and those in their fields, once each."""
    found: dict[type, None] = dict.fromkeys((*OTHERS, ItemCounts))

    def look(kind: object) -> None:
        if isinstance(kind, type) and issubclass(kind, msgspec.Struct) and kind not in found:
            found[kind] = None
            for field in msgspec.structs.fields(kind):
                look(field.type)
        for part in get_args(kind):
            look(part)

    for package in map(importlib.import_module, PACKAGES):
        for name in package.__all__:
            look(getattr(package, name))
    return found


EXPORTED = exported_structs()
"""Structs that are no answers of a provider, and the usual ones that are."""


def test_the_packages_export_structs() -> None:
    assert len(EXPORTED) > 50


@pytest.mark.parametrize(
    "cls", dict.fromkeys([*provider_structs(), *EXPORTED]), ids=lambda cls: cls.__qualname__
)
def test_every_field_and_property_is_described(cls: type) -> None:
    found = field_descriptions(cls)
    names = {field.name for field in fields_of(cls)}
    names |= {name for name, member in inspect.getmembers(cls) if isinstance(member, property)}
    assert sorted(name for name in names - found.keys() if name[0] != "_") == []
    for text in found.values():
        assert text[0].isupper() or text[0] in '`"', text
        assert text.endswith((".", "…")), text


def test_inherited_fields_are_described() -> None:
    assert "participants" in field_descriptions(SingleThread)
    assert "li_organisation" in field_descriptions(WebsiteMatch)


def test_a_class_of_another_package_has_no_descriptions_of_fields() -> None:
    class Own(Person):
        nick: str | None = None
        """A name."""

    assert field_descriptions(Own) == field_descriptions(Person)


@pytest.mark.parametrize("error", [OSError, TypeError])
def test_without_the_source_there_are_no_descriptions(
    monkeypatch: pytest.MonkeyPatch, error: type[Exception]
) -> None:
    def missing(module: ModuleType) -> str:
        assert module is sys.modules[Person.__module__]
        raise error

    monkeypatch.setattr(inspect, "getsource", missing)
    field_docs._in_module.cache_clear()
    try:
        assert field_docs._in_module(Person.__module__) == {}
    finally:
        field_docs._in_module.cache_clear()
