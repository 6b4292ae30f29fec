"""Versions of answers, and what changed from each to the next: computed on reading, never stored.

A version is a usable answer. It is compared with the one before it of the same endpoint and the
same other parameters, of the same lookup or of another lookup of the same subject. Versions are
read a few at a time, in the order in which the ledger got them, so that any number of them takes
the same memory.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import cast

import msgspec
from anyio.lowlevel import checkpoint

from ..core import wire
from ..core.bridge import ReadableStruct
from ..core.canonical import canonical_forms
from ..core.changes import ChangeKind, Facts, differences, facts_of
from ..core.endpoint import AnyEndpoint
from ..core.errors import ConfigurationError, LixError
from ..core.installed_providers import all_endpoints, provider_name, provider_of
from ..core.models import Params
from ..core.provider import Provider
from .identity import alias_of
from .records import AnswerRow, Named, StoredBody, StoredVersion
from .refresh import Evidence, earlier_tenure, with_differences
from .store import Store
from .tables import SqlTables

BATCH = 50
"""Versions read at once: few, since they are compared on the event loop."""
YEAR = 365.25 * 86_400_000
"""Milliseconds."""
LOOKUPS = 1000
"""Lookups read at once while one is searched for by what was given."""


class SubjectChange(ReadableStruct, msgspec.Struct, frozen=True, kw_only=True):
    """Something that differs between two versions of what is known about a subject."""

    kind: ChangeKind
    """What happened, such as `job_started` or `location_changed`; see `ChangeKind`."""
    subject: str
    """What was first asked for, such as the link of a profile. It stays when links change."""
    name: str
    """The name of the person or organisation, before the change."""
    field: str
    """`job`, `title`, `organisation`, `location`, `slug`, `name`, `headline`, else the field of
    the answer."""
    before: object
    """None where there was none. A job is written as `TITLE at ORGANISATION`."""
    after: object
    """None where there is none any more."""
    at_before: datetime
    """When the older version was bought, in UTC."""
    at_after: datetime
    """When the newer version was bought, in UTC."""
    organisation: str = ""
    """The employer's id, or its name where it has none; of jobs and titles."""
    key: str = ""
    """The key of the lookup."""


class Version(ReadableStruct, msgspec.Struct, frozen=True, kw_only=True):
    """An answer that was bought; of a listing, one of its pages."""

    key: str
    """The key of the lookup."""
    endpoint: str
    """The catalogue id of the endpoint."""
    bought_at: datetime
    """When it was received, in UTC."""
    body: bytes
    """The answer as it was received."""
    value: object
    """The answer, decoded; None where the provider is not installed."""
    page: int = 0
    """The page of a listing, from 1; 0 for a single answer."""


def since_moment(since: datetime | timedelta | None, now: int) -> int:
    """The beginning of a period, in epoch milliseconds.

    Raises:
        ConfigurationError: It is neither a date with a time zone nor a duration.
    """
    if since is None:
        return 0
    if isinstance(since, timedelta):
        return now - since // timedelta(milliseconds=1)
    if not isinstance(since, datetime) or since.tzinfo is None:  # pyright: ignore[reportUnnecessaryIsInstance]  # untyped callers
        raise ConfigurationError("since must be a datetime with a time zone, or a timedelta")
    return int(since.timestamp() * 1000)


async def read_changes(
    store: Store, since: int, subject: str | None = None
) -> AsyncIterator[SubjectChange]:
    """What changed, version by version, in the order in which the versions came into the ledger.

    Args:
        store: The ledger, open.
        since: Only what versions say that were bought at or after this moment.
        subject: Only of what this link, id or key names.
    """
    comparable = {name: one for name, one in all_endpoints().items() if one.fields is not None}
    about = None if subject is None else await named(store, subject)
    last = 0
    while about is None or any(about):

        def work(
            tables: SqlTables, after: int = last
        ) -> tuple[list[StoredVersion], dict[int, StoredBody]]:
            found = tables.versions(after, since, sorted(comparable), about, BATCH)
            wanted = {ident for one in found for ident in (one.id, *one.before)}
            return found, tables.version_bodies(sorted(wanted))

        found, bodies = await store.statement(work, writes=False)
        for version in found:
            for change in changes_of(version, bodies, comparable[version.endpoint]):
                yield change
        if len(found) < BATCH:
            return
        last = found[-1].id
        await checkpoint()


def changes_of(
    version: StoredVersion, bodies: Mapping[int, StoredBody], endpoint: AnyEndpoint
) -> Iterator[SubjectChange]:
    """What a version says that the one before it does not.

    Args:
        version: The version.
        bodies: Its body and those of the versions before it, by id.
        endpoint: Its endpoint.
    """
    earlier = [bodies[ident] for ident in version.before]
    if earlier:
        old, new = max(earlier, key=lambda one: one.at), bodies[version.id]
        subject = subject_text(version.written_as)
        provider = provider_of(provider_name(endpoint.id))
        yield from compare(provider, endpoint, old, new, subject=subject, key=version.key.hex())


def compare(
    provider: Provider,
    endpoint: AnyEndpoint,
    old: StoredBody,
    new: StoredBody,
    *,
    subject: str,
    key: str,
) -> Iterator[SubjectChange]:
    """What differs between two versions of an answer of an endpoint."""
    if old.body == new.body or endpoint.fields is None:
        return
    before = facts_of(provider, endpoint, old.http, old.body)
    after = facts_of(provider, endpoint, new.http, new.body)
    if before is None or after is None:
        return
    for one in differences(before, after, endpoint.fields):
        yield SubjectChange(
            kind=one.kind,
            subject=subject,
            name=_name(before) or _name(after),
            field=one.field,
            before=one.before,
            after=one.after,
            at_before=utc(old.at),
            at_after=utc(new.at),
            organisation=one.organisation,
            key=key,
        )


def evidence_of(
    provider: Provider, endpoint: AnyEndpoint, versions: Sequence[StoredBody], now: int
) -> Evidence:
    """What the versions of a lookup say about how often it changes, the oldest first."""
    years = max(versions[-1].at - versions[0].at, 0) / YEAR
    age = max(now - versions[-1].at, 0) / YEAR
    found = Evidence(endpoint.id, endpoint.credits.amount, age, years=years)
    before: Facts | None = None
    for version in versions:
        after = facts_of(provider, endpoint, version.http, version.body)
        if after is None:
            continue
        if before is None:  # what came later is counted as changes
            found = found._replace(tenure=earlier_tenure(after.jobs or ()))
        elif endpoint.fields is not None:
            found = with_differences(found, differences(before, after, endpoint.fields))
        before = after
    return found


async def read_versions(store: Store, subject: str) -> AsyncIterator[Version]:
    """Every version of what a link, an id or a key names; of each lookup the oldest first."""
    endpoints = all_endpoints()
    about, last = await named(store, subject), 0
    while any(about):

        def work(tables: SqlTables, after: int = last) -> list[tuple[bytes, str, AnswerRow]]:
            return tables.usable(about, after, BATCH)

        found = await store.statement(work, writes=False)
        for key, name, answer in found:
            endpoint = endpoints.get(name)
            value: object = None
            if endpoint is not None and answer.codec == 0:
                provider = provider_of(provider_name(endpoint.id))
                value = wire.decode(provider, endpoint, answer.http, answer.body)
            yield Version(
                key=key.hex(),
                endpoint=name,
                bought_at=utc(answer.at),
                body=answer.body,
                value=None if isinstance(value, LixError) else value,
                page=answer.page,
            )
        if len(found) < BATCH:
            return
        last += BATCH


async def named(store: Store, subject: str) -> Named:
    """The subjects that a link, an id or a key names."""
    try:
        key = bytes.fromhex(subject)
    except ValueError:
        key = b""
    if len(key) == 16 and (lookups := await store.find([key])):
        ids, subjects = [one.id for one in lookups.values()], list[int]()
    else:
        names = [alias_of(subject, "name", kind) for kind in ("person", "organisation")]
        aliases = [alias for alias in (*names, alias_of(subject, "lix")) if alias is not None]
        found = await store.statement(lambda tables: tables.named_by(aliases), writes=False)
        if found.lookups:
            return found
        subjects = found.subjects
        ids = [ident async for ident in _asked_with(store, subject)]
    return await store.statement(
        lambda tables: tables.named_by_lookups(ids, subjects), writes=False
    )


async def _asked_with(store: Store, text: str) -> AsyncIterator[int]:
    """The lookups that were asked for with a text, however it was written."""
    forms = {name: _form_of(one.params) for name, one in all_endpoints().items()}
    last = 0
    while True:

        def work(tables: SqlTables, after: int = last) -> list[tuple[int, str, bytes]]:
            return tables.given_after(after, LOOKUPS)

        page = await store.statement(work, writes=False)
        for last, endpoint, written_as in page:
            form = forms.get(endpoint, _itself)
            if form(text) in map(form, _texts(written_as)):
                yield last
        if len(page) < LOOKUPS:
            return


def _form_of(params: type[Params]) -> Callable[[str], str]:
    """What texts are compared by that were given for the params of an endpoint."""
    forms = [form.of for form in canonical_forms(params).values()]

    def read(text: str) -> str:
        """Of the forms, the first one that reads the text."""
        return next((found for form in forms if (found := form(text)) != text), text)

    return read


def _itself(text: str) -> str:
    return text


def _texts(written_as: bytes) -> list[str]:
    given: object = msgspec.json.decode(written_as)
    values = cast("dict[str, object]", given).values() if isinstance(given, dict) else [given]
    return [value for value in values if isinstance(value, str)]


def subject_text(written_as: bytes) -> str:
    """An input as a text: itself where it is one, else its JSON."""
    texts = _texts(written_as)
    return texts[0] if len(texts) == 1 else written_as.decode()


def _name(facts: Facts) -> str:
    name = facts.values.get("name")
    return name if isinstance(name, str) else ""


def utc(milliseconds: int) -> datetime:
    """A moment of the ledger."""
    return datetime.fromtimestamp(milliseconds / 1000, UTC)
