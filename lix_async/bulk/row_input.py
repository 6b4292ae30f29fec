"""The part of a row that a method takes: the `on=` of runs.

Rows have columns of their own, such as an account number beside a link. They stay with the caller:
a ledger keeps the part alone.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeVar, cast

from ..core.errors import ConfigurationError
from ..engine.call_key import Input

AnyRow = TypeVar("AnyRow")
On = str | Mapping[str, str] | Callable[[AnyRow], Input | None]
"""The column with the method's first argument, the column of each of its keyword arguments, or a
function of the row."""
LARGEST_EXACT = 2**53
"""The number from which on a float may be another number than the one that was stored in it."""


def check_on(on: object) -> None:
    """Check the type of `on`.

    Raises:
        ConfigurationError: It is of another type, or names no column.
    """
    if on is None or callable(on):
        return
    names: list[object] = [on]
    if isinstance(on, Mapping):
        names = list(cast("Mapping[object, object]", on).values()) or [""]
    if not all(isinstance(name, str) and name for name in names):
        raise ConfigurationError(
            "on must be the name of a column, a mapping of the method's arguments to names of "
            "columns, or a function of a row"
        )


def columns_of(on: On[AnyRow]) -> list[str]:
    """The columns that `on` names; none for a function."""
    if isinstance(on, str):
        return [on]
    return [] if callable(on) else list(on.values())


def input_of(row: AnyRow, on: On[AnyRow]) -> Input:
    """The part of a row that the method takes.

    None, NaN and "" count as nothing. With a mapping, an argument without a value is left out.

    Raises:
        ConfigurationError: There is nothing in it that can be sent; its `family` is `"input"`. The
            message has no value of the row: it is kept in the ledger.
    """
    name = getattr(on, "__name__", "a function") if callable(on) else repr(on)
    try:
        if isinstance(on, str):
            found = _plain(_value(row, on))
        elif callable(on):
            found = _plain(on(row))
        else:
            values = {argument: _plain(_value(row, column)) for argument, column in on.items()}
            found = {one: value for one, value in values.items() if value is not None} or None
    except (LookupError, AttributeError) as error:
        problem = f"the row does not have it ({type(error).__name__})"
    except Exception as error:  # noqa: BLE001  # of the caller's function, or of a property
        problem = f"the row cannot be used ({type(error).__name__})"
    else:
        if isinstance(found, str | int | Mapping) and not isinstance(found, bool):
            return cast("Input", found)
        problem = "nothing is there"
        if found is not None:
            problem = f"expected a text or a number, not {type(found).__name__}"
    failure = ConfigurationError(f"on={name}: {problem}")
    failure.family = "input"
    raise failure


def _value(row: object, column: str) -> object:
    """A column of a mapping, of a row of a database, or of an object with attributes."""
    if callable(getattr(row, "keys", None)):
        return cast("Mapping[str, object]", row)[column]
    return getattr(row, column)


def _plain(value: object) -> object:
    """A cell of a table as an argument; None where it has no value."""
    if is_missing(value) or (isinstance(value, str) and not value.strip()):
        return None
    if isinstance(value, float) and value.is_integer() and abs(value) < LARGEST_EXACT:
        return int(value)  # a column of numbers becomes one of floats where a number is missing
    item = getattr(value, "item", None)  # a number of NumPy
    return item() if callable(item) else value


def is_missing(value: object) -> bool:
    """Whether a cell of a table has no value: None, or NaN and the like of pandas and NumPy."""
    if value is None or isinstance(value, str | int | Mapping):
        return value is None
    try:
        return bool(value != value)  # noqa: PLR0124  # NaN and NaT
    except TypeError:
        return True  # pandas.NA is neither equal to itself nor unequal
    except Exception:  # noqa: BLE001  # an array is compared item by item
        return False
