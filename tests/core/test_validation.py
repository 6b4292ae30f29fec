"""Types of arguments: which are accepted, and the messages for others."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import Literal

import pytest

from lix_async.core.errors import ConfigurationError
from lix_async.core.rate_limit import RateLimit, WindowLimit
from lix_async.core.retry import RetryPolicy
from lix_async.core.validation import ValidatedStruct, as_list, check_attributes, check_type


class Word(StrEnum):
    A = "a"


class Fraction(float):
    """A subclass, as of numpy's numbers."""


MAPPING = int | Mapping[Literal["org", "email"], int] | None


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        (1, int),
        (1, float),
        (1.5, float),
        (Fraction(1.5), float),
        (Word.A, str),
        (True, bool),
        (None, str | None),
        ({"org": 3}, MAPPING),
        (3, MAPPING),
        (print, Callable | None),
        (RateLimit(1, per=3), RateLimit),
    ],
)
def test_a_value_of_the_type_is_accepted(value, kind):
    check_type("x", value, kind)


@pytest.mark.parametrize(
    ("value", "kind", "message"),
    [
        ("1", int, "x must be a whole number, not str"),
        (True, int, "x must be a whole number, not bool"),
        (1.0, int, "x must be a whole number, not float"),
        ("1", float, "x must be a number, not str"),
        (False, float, "x must be a number, not bool"),
        (None, float, "x must be a number, not None"),
        (5, str, "x must be a text, not int"),
        (b"5", str | None, "x must be a text or None, not bytes"),
        (1, bool, "x must be True or False, not int"),
        (0, type(None), "x must be None, not int"),
        ("c", Literal["a", "b"], "x must be one of 'a', 'b', not str"),
        ([], Literal["a", "b"], "x must be one of 'a', 'b', not list"),
        ({"org": True}, MAPPING, "x must be a whole number or a mapping to a whole number or None"),
        ({"o": 1}, MAPPING, "x must be a whole number or a mapping"),
        ([1], MAPPING, "x must be a whole number or a mapping"),
        ({"requests": 1, "per": 3}, RateLimit, "x must be a RateLimit, not dict"),
        ("f", Callable | None, "x must be a Callable or None, not str"),
    ],
)
def test_a_value_of_another_type_is_rejected_by_name_without_its_value(value, kind, message):
    with pytest.raises(ConfigurationError) as caught:
        check_type("x", value, kind)
    assert str(caught.value).startswith(message)


class Pot(ValidatedStruct, frozen=True):
    size: int
    lid: str | None = None


def test_a_validated_struct_checks_its_fields():
    assert Pot(3, "red") == Pot(size=3, lid="red")
    for wrong, message in (
        (("3",), "Pot.size must be a whole"),
        ((3, 5), "Pot.lid must be a text"),
    ):
        with pytest.raises(ConfigurationError, match=message):
            Pot(*wrong)


FIELDS = [
    *((RetryPolicy, name, {}) for name in RetryPolicy.__struct_fields__),
    *((RateLimit, name, {"requests": 1, "per": 3}) for name in ("requests", "per", "burst")),
    (RateLimit, "margin", {"requests": 1, "per": 3}),
    *(
        (WindowLimit, name, {"name": "all", "requests": 1})
        for name in ("requests", "per", "margin")
    ),
]


@pytest.mark.parametrize("wrong", ["x", None, [], object()], ids=["text", "none", "list", "object"])
@pytest.mark.parametrize(("cls", "name", "given"), FIELDS, ids=str)
def test_every_field_of_a_public_struct_is_checked_by_name(cls, name, given, wrong):
    with pytest.raises(ConfigurationError, match=rf"^{cls.__name__}\.{name} must be "):
        cls(**{**given, name: wrong})


def test_flags_are_not_numbers_and_a_name_is_a_text():
    for make in (lambda: RateLimit(True, per=3), lambda: RetryPolicy(attempts=True)):
        with pytest.raises(ConfigurationError, match="number, not bool"):
            make()
    with pytest.raises(ConfigurationError, match=r"WindowLimit\.name must be a text, not int"):
        WindowLimit(5, 1)


def test_any_iterable_becomes_a_list():
    assert as_list("x", (n for n in range(3))) == [0, 1, 2]
    for wrong in (None, 5):
        with pytest.raises(ConfigurationError, match="x must be a list, not "):
            as_list("x", wrong)


class Reader:
    mode = "brass"

    def open(self) -> None: ...


def test_an_interface_is_checked_by_its_methods():
    check_attributes("x", Reader(), "a reader", "open")
    for wrong, names, described in (
        (Reader(), ["open", "close"], "Reader"),
        (Reader(), ["mode"], "Reader"),
    ):
        with pytest.raises(ConfigurationError, match=f"x must be a reader, not {described}"):
            check_attributes("x", wrong, "a reader", *names)
    with pytest.raises(ConfigurationError, match="x must be a reader, not the class Reader itself"):
        check_attributes("x", Reader, "a reader", "open")
