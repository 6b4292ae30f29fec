"""What differs between two answers about one person or organisation, in terms of the field.

Pure: an answer becomes `Facts` by its endpoint's `SubjectFields`, and two `Facts` become a list of
differences. A new employer is `job_started` (and `job_ended`) and nothing else; `title_changed` is
within one employer.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence, Set
from typing import Literal, NamedTuple, cast

import msgspec

from . import wire
from .endpoint import AnyEndpoint
from .errors import LixError
from .json_text import json_object
from .provider import Provider
from .subject_fields import FieldPaths, JobFields, SubjectField, SubjectFields
from .values import JsonObject

ChangeKind = Literal[
    "job_started",
    "job_ended",
    "title_changed",
    "company_changed",
    "location_changed",
    "slug_moved",
    "name_changed",
    "field_changed",
]
KINDS: Mapping[str, ChangeKind] = {
    "name": "name_changed",
    "location": "location_changed",
    "slug": "slug_moved",
    "title": "title_changed",
    "organisation": "company_changed",
}
"""What a change of a field that every provider has is called; of others it is `field_changed`."""
_OF_A_JOB: tuple[SubjectField, ...] = ("title", "organisation")
"""Fields that are compared only where the positions are not known."""
Month = tuple[int, int]
"""Year and month; month 0 is unknown."""
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_DATE = re.compile(r"(?:([A-Za-z]{3})[a-z]*\.?\s+)?([12][0-9]{3})(?:-([01][0-9]).*)?", re.DOTALL)


class Difference(NamedTuple):
    """One difference between two answers."""

    kind: ChangeKind
    field: str
    before: object
    after: object
    organisation: str = ""
    """The employer, of a job and its title."""


class Position(NamedTuple):
    """A position."""

    title: str
    organisation: str
    ids: Mapping[str, str]
    """Ids of the organisation, by the field that they stand in."""
    start: Month | None
    end: Month | None
    running: bool
    others: Mapping[str, object]
    """Its other fields."""

    def __str__(self) -> str:
        return " at ".join(filter(None, (self.title, self.organisation)))


class Facts(NamedTuple):
    """What an answer says about its subject."""

    values: Mapping[str, object]
    """The fields that have a value, by name."""
    jobs: Sequence[Position] | None
    """The positions, in the order of the answer; None where it has none."""
    unknown: frozenset[str]
    """Fields that had to be repaired, so that their value is not known."""


def facts_of(provider: Provider, endpoint: AnyEndpoint, status: int, body: bytes) -> Facts | None:
    """What a stored answer says; None where it cannot be read or is about no single subject."""
    fields = endpoint.fields
    if fields is None:
        return None
    value = wire.decode(provider, endpoint, status, body)
    if isinstance(value, LixError):
        return None
    tree = cast("JsonObject", msgspec.to_builtins(value))
    repaired = _repaired(tree, body)
    values: dict[str, object] = {}
    used = {*fields.ignored, *fields.of_jobs}
    for name, where in fields.named.items():
        used.update(part for path in where.paths for part in path.split("+"))
        if not repaired.isdisjoint(path.partition(".")[0] for path in where.paths):
            repaired = repaired | {name}
        if (found := _first(tree, where)) is not None:
            values[name] = found
    jobs = None
    if fields.jobs is not None:
        used.add(fields.jobs.path)
        items = _at(tree, fields.jobs.path)
        if isinstance(items, list):
            jobs = [_job(item, fields.jobs) for item in cast("list[JsonObject]", items)]
    values.update(_flat(tree, used))
    return Facts(values, jobs, repaired)


def differences(before: Facts, after: Facts, fields: SubjectFields) -> Iterator[Difference]:
    """What differs between an older and a newer answer of one endpoint, jobs first."""
    unknown = before.unknown | after.unknown
    path = "" if fields.jobs is None else fields.jobs.path
    known = before.jobs is not None and after.jobs is not None and path not in unknown
    if known:
        yield from _job_differences(
            cast("Sequence[Position]", before.jobs), cast("Sequence[Position]", after.jobs), path
        )
    names = [*fields.named, *sorted({*before.values, *after.values} - {*fields.named})]
    for name in names:
        old, new = before.values.get(name), after.values.get(name)
        if old == new or name in unknown or name.partition(".")[0] in unknown:
            continue
        if name in fields.named and known and name in _OF_A_JOB:
            continue
        if name == "slug" and (old is None or new is None):
            continue  # an encoded id stands in its place: it is hidden, and has not moved
        if name == "headline" and known and _is_of_job(old, before) and _is_of_job(new, after):
            continue  # the default text, which repeats the position
        yield Difference(KINDS.get(name, "field_changed"), name, old, new)


def _is_of_job(headline: object, facts: Facts) -> bool:
    return any(job.running and str(job) == headline for job in facts.jobs or ())


def _repaired(tree: JsonObject, body: bytes) -> frozenset[str]:
    """The fields at the root whose value was lost or replaced when the body was read."""
    try:
        raw, strict = msgspec.json.decode(body), True
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raw, strict = json_object(body), False
    fields = cast("JsonObject", raw) if isinstance(raw, dict) else {}
    found: set[str] = set()
    for name, value in fields.items():
        if value in ({}, []):
            continue
        text = "" if strict else repr(value)
        lost = isinstance(value, dict | list) and name not in tree and strict
        if lost or "\ufffd" in text or "None" in text:
            found.add(name)
    return frozenset(found)


def _at(tree: object, path: str) -> object:
    for name in path.split("."):
        tree = cast("JsonObject", tree).get(name) if isinstance(tree, dict) else None
    return tree


def _first(tree: JsonObject, where: FieldPaths) -> object:
    for path in where.paths:
        parts = [_at(tree, part) for part in path.split("+")]
        found = parts[0]
        if len(parts) > 1:
            found = " ".join(part for part in parts if isinstance(part, str) and part)
        if where.read is not None:
            found = where.read(found) if isinstance(found, str) else None
        if found not in (None, ""):
            return found
    return None


def _flat(tree: JsonObject, used: Set[str], above: str = "") -> Iterator[tuple[str, object]]:
    """The values of an answer by their paths, except those that are used and all below them."""
    for name, value in tree.items():
        path = above + name
        if path in used:
            continue
        if isinstance(value, dict):
            yield from _flat(cast("JsonObject", value), used, f"{path}.")
        else:
            yield path, value


# Jobs


def _job(item: JsonObject, fields: JobFields) -> Position:
    used = {fields.title, *fields.start, *fields.end, fields.period, fields.current}
    used |= {fields.organisation, *fields.ids, *fields.ignored}
    period = _at(item, fields.period) if fields.period else None
    texts = period.partition(" · ")[0].split(" - ") if isinstance(period, str) else []
    starts = [*texts[:1], *(_at(item, path) for path in fields.start)]
    ends = [*texts[1:2], *(_at(item, path) for path in fields.end)]
    start = next(filter(None, map(_month, starts)), None)
    end = next(filter(None, map(_month, ends)), None)
    flag = _at(item, fields.current) if fields.current else None
    ended = end is not None or any(_is_end(value) for value in ends)
    present = any(isinstance(value, str) and value.strip().lower() == "present" for value in ends)
    running = flag is True or present or (flag is not False and not ended and start is not None)
    return Position(
        title=_text(_at(item, fields.title)),
        organisation=_text(_at(item, fields.organisation)),
        ids={
            path: found
            for path, read in fields.ids.items()
            if isinstance(text := _at(item, path), str) and (found := read(text))
        },
        start=start,
        end=end,
        running=running,
        others=dict(_flat(item, used)),
    )


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _is_end(value: object) -> bool:
    return isinstance(value, str) and value.strip().lower() not in ("", "present")


def _month(value: object) -> Month | None:
    """A month, of `{"year": 2024, "month": 5}`, `May 2024`, `2024` or `2024-05-01`."""
    if isinstance(value, dict):
        date = cast("JsonObject", value)
        year, month = date.get("year"), date.get("month")
        if isinstance(year, int):
            return year, month if isinstance(month, int) else 0
        return None
    found = _DATE.fullmatch(value.strip()) if isinstance(value, str) else None
    if found is None:
        return None
    name = (found[1] or "").lower()
    month = _MONTHS.index(name) + 1 if name in _MONTHS else int(found[3] or 0)
    return int(found[2]), month


def _same_employer(a: Position, b: Position) -> bool:
    common = a.ids.keys() & b.ids.keys()
    if common:
        return any(a.ids[name] == b.ids[name] for name in common)
    return a.organisation.casefold() == b.organisation.casefold()


def _job_differences(
    before: Sequence[Position], after: Sequence[Position], path: str
) -> Iterator[Difference]:
    known = max((date for job in before for date in job[3:5] if date is not None), default=(0, 0))
    matched = _matched(before, after)
    found: list[Difference] = []
    for old, new in matched:
        held = any(one.running and _same_employer(one, new) for one in after)
        found += _of_one_position(old, new, path, held)
    gone = _without(before, [old for old, _ in matched])
    added = _without(after, [new for _, new in matched])
    # As it was called before: the organisation may have another name now.
    ended = [
        old._replace(title=new.title, end=new.end)
        for old, new in matched
        if old.running and not new.running
    ]
    ended += [old for old in gone if old.running]
    # A later position of the same employer, without a gap, goes on with the employment.
    lasting = [new for old, new in matched if old.running and new.running]
    for job in sorted(added, key=lambda one: one.start or (0, 0)):
        earlier = next((one for one in (*ended, *lasting) if _goes_on(one, job)), None)
        if earlier is not None:
            ended, lasting = _without(ended, [earlier]), _without(lasting, [earlier])
            (lasting if job.running else ended).append(job)
            if earlier.title != job.title:
                found.append(_difference("title_changed", "title", earlier.title, job.title, job))
        elif not job.running and (job.end or (0, 0)) < known:  # an earlier one, added later
            found.append(_difference("field_changed", path, None, str(job), job))
        else:
            found.append(_difference("job_started", "job", None, str(job), job))
            (lasting if job.running else ended).append(job)
    found += [_difference("job_ended", "job", str(job), None, job) for job in ended]
    found += [
        _difference("field_changed", path, str(job), None, job) for job in gone if not job.running
    ]
    order = ("job_ended", "job_started", "title_changed", "company_changed")
    once = [one for place, one in enumerate(found) if one not in found[:place]]
    yield from sorted(once, key=lambda one: (*order, one.kind).index(one.kind))


def _difference(
    kind: ChangeKind, field: str, before: object, after: object, job: Position
) -> Difference:
    return Difference(kind, field, before, after, next(iter(job.ids.values()), job.organisation))


def _of_one_position(old: Position, new: Position, path: str, held: bool) -> Iterator[Difference]:
    if old.title != new.title:
        yield _difference("title_changed", "title", old.title, new.title, new)
    # The name of a former employer may have changed since the person left.
    if old.organisation != new.organisation and held:
        yield _difference(
            "company_changed", "organisation", old.organisation, new.organisation, new
        )
    if new.running and not old.running:
        yield _difference("job_started", "job", None, str(new), new)
    for name in sorted({*old.others, *new.others}):
        values = old.others.get(name), new.others.get(name)
        if values[0] != values[1]:
            yield _difference("field_changed", f"{path}.{name}", *values, new)


def _goes_on(earlier: Position, later: Position) -> bool:
    """Whether a position is the next one of the same employment."""
    if not _same_employer(earlier, later):
        return False
    end, start = earlier.end, later.start
    return end is None or start is None or start <= end or 0 in (end[1], start[1])


def _matched(
    before: Sequence[Position], after: Sequence[Position]
) -> list[tuple[Position, Position]]:
    """The positions that both answers have: by employer and start, else by start and title."""
    found: list[tuple[Position, Position]] = []
    old, new = list(before), list(after)
    rules: tuple[Callable[[Position, Position], bool], ...] = (
        lambda a, b: _same_employer(a, b) and a.start == b.start and a.title == b.title,
        lambda a, b: _same_employer(a, b) and a.start == b.start,
        _is_renamed,
    )
    for rule in rules:
        for a in tuple(old):
            b = next((one for one in new if rule(a, one)), None)
            if b is not None:
                found.append((a, b))
                old.remove(a)
                new.remove(b)
    return found


def _is_renamed(a: Position, b: Position) -> bool:
    """Whether a position is the same one, of an organisation without an id and with a new name."""
    known = a.start is not None and not a.ids.keys() & b.ids.keys()
    return known and (a.title, a.start, a.end) == (b.title, b.start, b.end)


def _without(jobs: Sequence[Position], others: Sequence[Position]) -> list[Position]:
    left = list(jobs)
    for job in others:
        if job in left:
            left.remove(job)
    return left
