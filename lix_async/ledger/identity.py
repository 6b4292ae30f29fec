"""Which ids are of one person or organisation: ids in answers, and what they prove.

The rules, which use no database:

* Ids belong together only where one answer shows them together. No id is computed from another.
* A strong id never changes hands. Two strong ids of one kind are two subjects: what connects them
  is a conflict, which marks both as ambiguous and merges nothing.
* A slug, the name in a link, changes hands. It belongs to the subject of the newest answer that
  shows it, is believed for half a year (a setting of the ledger), and never connects two subjects
  that both have strong ids.

Subjects, and which of them are ambiguous, do not depend on the order in which answers are learned.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import TypedDict, cast

import msgspec

from ..core.json_text import JSON_ERRORS, SchemaMismatch, parse_json
from ..core.subject_ids import IdForm, IdGroup, SubjectType
from ..linkedin.subject_ids import WEAK, AliasKey, Identifier, read_id

BELIEVED_FOR = 180 * 86_400_000
"""Milliseconds after an answer showed a slug in which the slug is believed to be of its subject,
where the ledger has no setting of its own."""


def alias_of(
    text: object, form: IdForm = "name", subject: SubjectType | None = "person"
) -> AliasKey | None:
    """What a ledger stores in place of the id in a value; see `read_id`."""
    found = read_id(text, form, subject)
    return None if found is None else found.alias


# Ids in answers


class FoundIds(msgspec.Struct, frozen=True, gc=False):
    """The ids of one person or organisation in an answer."""

    aliases: tuple[AliasKey, ...]
    row: int = 0
    """0: of what the call asked for; else its number among the rows and the others, from 1."""


def find_ids(groups: Sequence[IdGroup], body: bytes) -> tuple[FoundIds, ...]:
    """The ids in an answer, also in one that is no strict JSON.

    Args:
        groups: Where they stand; see `Endpoint.ids`.
        body: The answer as it was received.
    """
    if not groups:
        return ()
    try:
        tree = _decoder(tuple(groups)).decode(body)
    except JSON_ERRORS:  # a list, say
        try:
            tree = parse_json(body)
        except SchemaMismatch:
            return ()
    found: list[FoundIds] = []
    row = 0
    for group in groups:
        for one in group_objects(group, tree):
            ids = ids_of(group, one)
            row += not group.own
            if ids or group.own:
                aliases = tuple({one.alias: None for one in ids})
                found.append(FoundIds(aliases, 0 if group.own else row))
    return tuple(found)


@lru_cache(maxsize=256)
def _decoder(groups: tuple[IdGroup, ...]) -> msgspec.json.Decoder[object]:
    """Reads of an object only what has ids, in a third of the time."""
    paths = [path for group in groups for path in group.at if path]
    paths += [first for group in groups if "" in group.at for _, first, _ in _fields(group)]
    paths += [group.nested for group in groups if "" in group.at and group.nested]
    names = dict.fromkeys((path.split(".")[0].removesuffix("[]") for path in paths), object)
    # Its names are known at run time only.
    return msgspec.json.Decoder(TypedDict("Ids", names, total=False))  # type: ignore[operator]


def ids_of(group: IdGroup, one: object) -> list[Identifier]:
    """The ids of one object of an answer."""
    if isinstance(one, str):
        found = read_id(one, "link", group.subject)
        return [] if found is None else [found]
    ids: list[Identifier] = []
    if not isinstance(one, dict):
        return ids
    fields = cast("dict[str, object]", one)
    for form, first, rest in _fields(group):
        value = fields.get(first)
        for name in rest:
            value = cast("dict[str, object]", value).get(name) if isinstance(value, dict) else None
        if value is not None and (found := read_id(value, form, group.subject)) is not None:
            ids.append(found)
    return ids


@lru_cache(maxsize=256)
def _fields(group: IdGroup) -> tuple[tuple[IdForm, str, tuple[str, ...]], ...]:
    """The fields of an object that have ids: their form, their name, and the names inside it."""
    by_form: dict[IdForm, tuple[str, ...]] = {
        "link": group.links,
        "name": group.names,
        "sales": group.sales,
        "member": group.members,
        "lix": group.lix,
    }
    return tuple(
        (form, first, tuple(rest))
        for form, paths in by_form.items()
        for first, *rest in (path.split(".") for path in paths)
    )


def group_objects(group: IdGroup, tree: object) -> Iterator[object]:
    """The objects of an answer that have the ids of a group."""
    whole = not group.nested and _is_object(tree)
    for path in group.at:
        if whole and not path:
            yield tree
            continue
        parts = path.split(".") if path else []
        if isinstance(tree, list):  # in place of the list that the path begins with
            many = next((place for place, part in enumerate(parts) if part.endswith("[]")), None)
            if many != 0:
                continue
            roots, parts = cast("list[object]", tree), parts[1:]
        else:
            roots = [tree]
        for one in roots:
            for found in _below(one, parts):
                yield from _with_nested(found, group.nested)


def _is_object(tree: object) -> bool:
    return isinstance(tree, dict)


def _below(tree: object, parts: Sequence[str]) -> Iterator[object]:
    if not parts:
        if isinstance(tree, dict | str):
            yield cast("object", tree)
        return
    name = parts[0].removesuffix("[]")
    inside = cast("dict[str, object]", tree).get(name) if isinstance(tree, dict) else None
    if not parts[0].endswith("[]"):
        if inside is not None:
            yield from _below(inside, parts[1:])
    elif isinstance(inside, list):
        for one in cast("list[object]", inside):
            yield from _below(one, parts[1:])


def _with_nested(one: object, name: str, depth: int = 0) -> Iterator[object]:
    yield one
    inside = cast("dict[str, object]", one).get(name) if name and isinstance(one, dict) else None
    if isinstance(inside, list) and depth < 8:
        for nested in cast("list[object]", inside):
            yield from _with_nested(nested, name, depth + 1)


# What answers prove


class Alias(msgspec.Struct, gc=False):
    """What is known of one id."""

    subject: int
    seen: int
    """Epoch milliseconds: when an answer first showed a strong id, or last showed a slug."""
    answer: int | None = None
    """The answer that showed it with the others of its subject."""


class KnownSubject(msgspec.Struct, gc=False):
    """A person or an organisation, as the rules see it."""

    strong: dict[str, bytes] = {}
    conflict: int = 0
    """Not 0 for one that is ambiguous: the same number for all that are in one conflict."""


class Identities:
    """The ids and subjects that a transaction has read, and what it learns.

    Args:
        aliases: All aliases that the answers to be learned show, as far as they are known.
        subjects: All subjects of those.
        slug_age: For how many milliseconds a slug is believed; asked for where it matters.
    """

    def __init__(
        self,
        aliases: dict[AliasKey, Alias],
        subjects: dict[int, KnownSubject],
        slug_age: Callable[[], int] = lambda: BELIEVED_FOR,
    ) -> None:
        self._slug_age = slug_age
        self.aliases = aliases
        self.subjects = subjects
        self.loaded = frozenset(aliases)
        self.changed: dict[AliasKey, Alias] = {}
        """Aliases that are new or have changed."""
        self.merged: dict[int, int] = {}
        """Subjects that turned out to be another one, with that one."""
        self.conflicts: dict[int, int] = {}
        """Subjects whose conflict has changed, with its number."""
        self.joined: dict[int, int] = {}
        """Conflicts that became a part of another one, with that one."""
        self.created = 0
        """New subjects: they have the numbers -1, -2, … until they are stored."""

    def learn(self, aliases: Iterable[AliasKey], at: int, answer: int | None) -> int | None:
        """Learn that an answer shows some ids together; the subject, or None if it tells none.

        Args:
            aliases: The ids.
            at: When the answer came.
            answer: The answer.
        """
        strong: dict[str, bytes] = {}
        weak: list[AliasKey] = []
        aliases = list(aliases)
        for kind, digest in aliases:
            if kind in WEAK:
                weak.append((kind, digest))
            elif strong.setdefault(kind, digest) != digest:
                return None  # it contradicts itself
        if not strong:
            return self._learn_weak(weak, at, answer)
        known = subject_of_all(aliases, self.aliases)
        subject = self._learn_strong(strong, at, answer) if known is None else known
        for key in weak:
            self._show(key, subject, at, answer)
        return subject

    def resolved(self, subject: int) -> int:
        """The subject that a subject turned out to be."""
        while subject in self.merged:
            subject = self.merged[subject]
        return subject

    def _learn_strong(self, strong: dict[str, bytes], at: int, answer: int | None) -> int:
        keys = list(strong.items())
        known = {self.aliases[key].subject for key in keys if key in self.aliases}
        parts = sorted(known, key=_age)
        new = {kind: digest for kind, digest in keys if (kind, digest) not in self.aliases}
        values: dict[str, bytes] = dict(new)
        clash = False
        for part in parts:
            for kind, digest in self.subjects[part].strong.items():
                clash = clash or values.setdefault(kind, digest) != digest
        if clash:
            subject = self._create() if new else parts[0]
            self._conflict([*parts, subject])
        else:
            subject = parts[0] if parts else self._create()
            for part in parts[1:]:
                self._merge(part, subject)
        for kind, digest in new.items():
            self.subjects[subject].strong[kind] = digest
            self._set((kind, digest), Alias(subject, at, answer))
        return subject

    def _show(self, key: AliasKey, subject: int, at: int, answer: int | None) -> None:
        """Take note of a slug that an answer shows beside strong ids."""
        alias = self.aliases.get(key)
        if alias is not None and alias.subject != subject:
            other = self.subjects[alias.subject]
            if not other.strong and abs(at - alias.seen) <= self._slug_age():
                self._merge(alias.subject, subject)
                alias = self.aliases[key]
        if alias is None or at > alias.seen or (at == alias.seen and subject != alias.subject):
            self._set(key, Alias(subject, at, answer))

    def _learn_weak(self, keys: Sequence[AliasKey], at: int, answer: int | None) -> int | None:
        """Take note of slugs that stand alone: they say nothing new of a known subject."""
        subject: int | None = None
        for key in keys:
            alias = self.aliases.get(key)
            if alias is not None and abs(at - alias.seen) <= self._slug_age():
                if not self.subjects[alias.subject].strong and at > alias.seen:
                    self._set(key, Alias(alias.subject, at, answer))
                subject = alias.subject if subject is None else subject
        for key in keys:
            alias = self.aliases.get(key)
            if alias is None or at - alias.seen > self._slug_age():
                subject = self._create() if subject is None else subject
                self._set(key, Alias(subject, at, answer))
        return subject

    def _create(self) -> int:
        self.created += 1
        self.subjects[-self.created] = KnownSubject({})
        return -self.created

    def _set(self, key: AliasKey, alias: Alias) -> None:
        self.aliases[key] = self.changed[key] = alias

    def _merge(self, younger: int, older: int) -> None:
        self.merged[younger] = older
        gone = self.subjects.pop(younger)
        self.subjects[older].strong.update(gone.strong)
        for alias in self.aliases.values():
            if alias.subject == younger:
                alias.subject = older
        if gone.conflict:
            self._conflict([older], gone.conflict)

    def _conflict(self, subjects: Sequence[int], also: int = 0) -> None:
        """Put subjects, and those that they are in conflict with, into one conflict."""
        old = {self.subjects[one].conflict for one in subjects} | {also}
        old.discard(0)
        number = min(old or subjects, key=_age)
        old.discard(number)
        for one, known in self.subjects.items():
            if one in subjects or known.conflict in old:
                known.conflict = self.conflicts[one] = number
        self.joined.update(dict.fromkeys(old, number))


def subject_of_all(aliases: Sequence[AliasKey], known: Mapping[AliasKey, Alias]) -> int | None:
    """The subject of ids that are all known to be its own; None where they may tell something."""
    subjects = {known[key].subject if key in known else None for key in aliases}
    if len(subjects) != 1 or all(kind in WEAK for kind, _ in aliases):
        return None
    return subjects.pop()


def _age(subject: int) -> int:
    """Subjects in the order in which they were made."""
    return subject if subject > 0 else (1 << 62) - subject
