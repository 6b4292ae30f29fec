"""What a ledger has about an id: its subject, the other ids of that, and what was bought."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from typing import cast

import msgspec

from ..core.bridge import ReadableStruct
from ..core.errors import ConfigurationError
from ..core.json_text import SchemaMismatch, parse_json
from ..core.subject_ids import IdForm, SubjectType
from ..linkedin.links import page_of_id
from ..linkedin.subject_ids import AliasKey, Identifier, read_id
from .aliases import load_aliases, slug_age
from .database import Database, chunks
from .records import unpacked
from .rule import STATUSES, Status
from .schema import BODY, CODEC

_READINGS: tuple[tuple[IdForm, SubjectType], ...] = (
    ("name", "person"),
    ("name", "organisation"),
    ("lix", "person"),
)


class KnownId(ReadableStruct, msgspec.Struct, frozen=True):
    """One id of a person or an organisation."""

    kind: str
    """See `Identifier.kind`."""
    id: str | None
    """None where no answer that is still stored shows it."""
    seen_at: datetime
    """When an answer first showed a strong id, or last showed a slug."""

    @property
    def link(self) -> str | None:
        """The page on LinkedIn that it names; None for an id that no page has."""
        return None if self.id is None else page_of_id(self.kind, self.id)


class Purchase(ReadableStruct, msgspec.Struct, frozen=True):
    """A lookup about a person or an organisation."""

    endpoint: str
    """The catalogue id of the endpoint, such as `person.get`."""
    given: object
    """The input under which it was bought."""
    status: Status
    """What became of it, such as `done` or `in_doubt`."""
    changed_at: datetime
    """When it changed last, in UTC."""


class SubjectRecord(ReadableStruct, msgspec.Struct, frozen=True):
    """A person or an organisation in a ledger."""

    id: int
    """Its number in this ledger."""
    ambiguous: bool
    """Whether its ids are in conflict with those of another one: then nothing is found by them."""
    ids: list[KnownId]
    """All ids that answers have shown for it."""
    lookups: list[Purchase]
    """The lookups about it."""


class Resolution(ReadableStruct, msgspec.Struct, frozen=True):
    """What a ledger has about one id."""

    given: str
    """The id or link as it was given."""
    identifier: Identifier
    """The id in its canonical form."""
    subject: SubjectRecord | None = None
    """Whose it is; None for one that no answer has shown."""
    expired: bool = False
    """Whether it is a slug that no answer has shown for too long: it is not believed."""


class Conflict(ReadableStruct, msgspec.Struct, frozen=True):
    """Subjects that answers connect although a strong id distinguishes them."""

    subjects: list[SubjectRecord]
    """The people or organisations between which the connection is."""


def identify(text: str) -> Identifier:
    """The id in a link, a URN or an encoded id.

    Raises:
        ConfigurationError: It has none of a person or an organisation.
    """
    found = read_id(text.strip(), "name", None)
    if found is None:
        raise ConfigurationError(
            f"no id of a person or an organisation in {text[:200]!r}: pass a link, such as "
            "https://www.linkedin.com/in/<name>, a URN or an encoded id"
        )
    return found


def resolve(db: Database, given: str, now: int) -> Resolution:
    """What the tables know of an id."""
    found = identify(given)
    alias = load_aliases(db, [found.alias]).get(found.alias)
    if alias is None:
        return Resolution(given, found)
    (subject,) = describe(db, [alias.subject])
    expired = not found.is_strong and now - alias.seen > slug_age(db)
    return Resolution(given, found, subject, expired)


def conflicts(db: Database, after: int, limit: int) -> list[tuple[int, Conflict]]:
    """Conflicts by their number, after one."""
    rows = db.execute(
        "SELECT DISTINCT ambiguous FROM subject WHERE ambiguous > ? AND merged_into IS NULL "
        "ORDER BY ambiguous LIMIT ?",
        (after, limit),
    )
    found: list[tuple[int, Conflict]] = []
    for (number,) in cast("list[tuple[int]]", rows):
        members = db.execute(
            "SELECT id FROM subject WHERE ambiguous = ? AND merged_into IS NULL ORDER BY id",
            (number,),
        )
        subjects = describe(db, [cast("int", row[0]) for row in members])
        found.append((number, Conflict(subjects)))
    return found


def describe(db: Database, subjects: Sequence[int]) -> list[SubjectRecord]:
    """Subjects with their ids and lookups."""
    ids: dict[int, list[tuple[str, bytes, int, int | None]]] = {one: [] for one in subjects}
    lookups: dict[int, list[Purchase]] = {one: [] for one in subjects}
    ambiguous: set[int] = set()
    for some in chunks(subjects):
        rows = db.execute("SELECT id FROM subject WHERE id IN (?*) AND ambiguous <> 0", (some,))
        ambiguous.update(cast("int", row[0]) for row in rows)
        rows = db.execute(
            "SELECT subject, kind, id, seen, answer FROM alias WHERE subject IN (?*) "
            "ORDER BY kind, seen",
            (some,),
        )
        for subject, kind, digest, seen, answer in cast(
            "list[tuple[int, str, bytes, int, int | None]]", rows
        ):
            ids[subject].append((kind, bytes(digest), seen, answer))
        rows = db.execute(
            "SELECT subject, endpoint, written_as, status, changed FROM lookup "
            "WHERE subject IN (?*) ORDER BY id",
            (some,),
        )
        for subject, endpoint, written_as, status, changed in cast(
            "list[tuple[int, str, bytes, int, int]]", rows
        ):
            given = msgspec.json.decode(bytes(written_as))
            lookups[subject].append(Purchase(endpoint, given, STATUSES[status], _time(changed)))
    texts = texts_of(db, (one for known in ids.values() for one in known))
    return [
        SubjectRecord(
            subject,
            subject in ambiguous,
            [KnownId(kind, texts.get((kind, d)), _time(seen)) for kind, d, seen, _ in ids[subject]],
            lookups[subject],
        )
        for subject in subjects
    ]


def texts_of(
    db: Database, aliases: Iterable[tuple[str, bytes, int, int | None]]
) -> dict[AliasKey, str]:
    """The ids that aliases stand for, read from the answers that showed them, or the inputs."""
    wanted = {(kind, digest): answer for kind, digest, _, answer in aliases}
    found: dict[AliasKey, str] = {}
    for some in chunks(sorted({answer for answer in wanted.values() if answer is not None})):
        rows = db.execute(
            f"SELECT {BODY}, {CODEC}, l.written_as FROM answer a "
            "JOIN lookup l ON l.id = a.lookup WHERE a.id IN (?*)",
            (some,),
        )
        for body, codec, given in cast("list[tuple[bytes | None, int, bytes]]", rows):
            for text in (b"" if body is None else unpacked(body, codec), bytes(given)):
                found.update(
                    (one.alias, one.id) for one in ids_anywhere(text) if one.alias in wanted
                )
    return found


def ids_anywhere(body: bytes) -> Iterator[Identifier]:
    """Everything in an answer or an input that can be read as an id, wherever it stands."""
    try:
        stack: list[object] = [parse_json(body)]
    except SchemaMismatch:
        return
    while stack:
        one = stack.pop()
        if isinstance(one, dict):
            stack += cast("dict[str, object]", one).values()
        elif isinstance(one, list):
            stack += cast("list[object]", one)
        elif isinstance(one, str | int):
            text = str(one)
            for form, subject in _READINGS if len(text) <= 2048 else ():
                found = read_id(text, form, subject)
                if found is not None:
                    yield found


def _time(milliseconds: int) -> datetime:
    return datetime.fromtimestamp(milliseconds / 1000, UTC)
