"""What this API's refusals say beyond the common tree."""

from __future__ import annotations

from ...core.decoding import OpenObject
from ...core.errors import InvalidParamsError, RateLimitError


class Issue(OpenObject):
    """One thing that is wrong with a request, as the vendor's validator (Zod) lists it.

    A mapping, because other codes bring other keys; `str()` is a line for people.
    """

    @property
    def field(self) -> str:
        """Which field, as `filters.industry[0]`; empty where the whole body is meant."""
        name = ""
        path = self.get("path")
        for part in path if isinstance(path, list) else []:  # pyright: ignore[reportUnknownVariableType]  # items are checked one by one
            name += f"[{part}]" if isinstance(part, int) else f".{part}"
        return name.removeprefix(".")

    @property
    def code(self) -> str:
        """The validator's word for it, such as `invalid_type`."""
        return self.first_text("code") or ""

    @property
    def message(self) -> str:
        """The reason, for people."""
        return self.first_text("message") or self.code or "not accepted"

    def __str__(self) -> str:
        facts = [f"{name} {self[name]}" for name in ("expected", "received") if self.get(name)]
        reason = f"{self.message} ({', '.join(facts)})" if facts else self.message
        return f"{self.field}: {reason}" if self.field else reason


class InvalidFieldsError(InvalidParamsError):
    """Fields are missing or wrong: one `Issue` in `issues` for each."""

    issues: tuple[Issue, ...] = ()


class HeldError(RateLimitError):
    """Too fast, and held: nothing of the kind before `hold_until` (seconds since the epoch)."""

    hold_until: float | None = None
