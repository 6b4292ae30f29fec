"""Conversion of a person from the form of the oldest reference (lix.md#legacy-shapes)."""

from __future__ import annotations

from .coercion import as_list, as_object

_EXPERIENCE = ("title", "description", "location", "organisation")


def person(old: dict[str, object]) -> dict[str, object]:
    """A legacy body under today's names. Keys that have today's names stay as they are."""
    accounts = as_object(old.get("socialAccounts"))
    linkedin, twitter = as_object(accounts.get("linkedin")), as_object(accounts.get("twitter"))
    emails = [email for email in as_list(old.get("emails")) if email]
    new: dict[str, object] = {
        "name": old.get("fullName"),
        "description": old.get("headline"),
        "aboutSummaryText": old.get("summary"),
        "email": emails[0] if emails else None,
        "liId": linkedin.get("username"),
        "link": linkedin.get("url"),
        "twitter": twitter.get("username"),
        "experience": [_job(as_object(job)) for job in as_list(old.get("workExperiences"))],
    }
    education = [_school(as_object(school)) for school in as_list(old.get("education"))]
    present = {name: value for name, value in old.items() if value is not None}
    return {**new, **present, "education": education}


def _job(old: dict[str, object]) -> dict[str, object]:
    return {name: old.get(name) for name in _EXPERIENCE} | {"timePeriod": _period(old)}


def _school(old: dict[str, object]) -> dict[str, object]:
    fields = [str(field) for field in as_list(old.get("fieldsOfStudy")) if field]
    new: dict[str, object] = {
        "institutionName": old.get("schoolName"),
        "fieldOfStudy": ", ".join(fields) or None,
        "timePeriod": _period(old),
    }
    return {**new, **{name: value for name, value in old.items() if value is not None}}


def _period(old: dict[str, object]) -> object:
    if "startedOn" not in old and "endedOn" not in old:
        return old.get("timePeriod")
    return {"startedOn": old.get("startedOn"), "endedOn": old.get("endedOn")}
