"""Structs as dicts, under Python's names and the wire's."""

from __future__ import annotations

from datetime import UTC, datetime

import msgspec
import pytest
from structs import LEDGER, OTHERS, filled, provider_structs

from lix_async import ConfigurationError, bulk, to_dict
from lix_async.providers.lix.models import DailyAllowance, Experience, Person, Post


def test_every_field_is_there_under_its_python_name() -> None:
    person = Person(first_name="Ada", experience=[Experience(title="CEO")])
    found = to_dict(person)
    assert list(found) == list(Person.__struct_fields__)
    assert (found["first_name"], found["last_name"]) == ("Ada", None)
    assert found["experience"] == [to_dict(Experience(title="CEO"))]


@pytest.mark.parametrize(
    "cls", [*provider_structs(), *OTHERS, *LEDGER], ids=lambda cls: cls.__qualname__
)
def test_the_wire_s_names_without_unset_fields_are_what_msgspec_writes(cls: type) -> None:
    value = filled(cls)
    found = to_dict(value, names="wire", unset=False)
    assert msgspec.json.encode(found, enc_hook=str) == msgspec.json.encode(value, enc_hook=str)
    if isinstance(value, msgspec.Struct):
        assert tuple(to_dict(value)) == value.__struct_fields__
        assert tuple(to_dict(value, names="wire")) == value.__struct_encode_fields__


def test_values_stay_as_they_are_and_open_objects_keep_their_keys() -> None:
    at = datetime(2024, 1, 15, tzinfo=UTC)
    assert to_dict(DailyAllowance(refreshes_at=at))["refreshes_at"] is at
    post = Post(createdAt="x", inner={"a": [1]})
    assert to_dict(post) == {"createdAt": "x", "inner": {"a": [1]}}
    assert type(to_dict(post)) is dict
    outcome = bulk.Outcome[Post](input=("x",), state="done", value=post)
    assert to_dict(outcome)["value"] == dict(post)
    assert to_dict(outcome)["input"] == ("x",)


def test_other_arguments_are_refused() -> None:
    with pytest.raises(ConfigurationError, match="invalid names 'camel'"):
        to_dict(Person(), names="camel")  # type: ignore[arg-type]
    with pytest.raises(ConfigurationError, match=r"invalid struct: expected .* got list"):
        to_dict([Person()])  # type: ignore[arg-type]
