"""Companies of the world, and their JSON bodies in the formats of Lix."""

from __future__ import annotations

from base64 import b64encode
from dataclasses import dataclass

from . import names
from .random import chance, rng_for

FIRST_SALES_ID = 1_000_001
"""Sales Navigator id of the first company; the others follow."""
FIRST_ID = 50_000_001
"""LinkedIn's own number of the first company."""


@dataclass(frozen=True, slots=True)
class OrganisationRecord:
    """One company.

    * `number`: its index in the world; ids are made from it.
    * `key`: the public identifier on the first day. What is drawn at random for a company is drawn
      for it, so that it stays when `slug` changes.
    """

    number: int
    key: str
    slug: str
    name: str
    industry: str
    size: str
    employees: int
    followers: int
    founded: int
    place: tuple[str, str, str]
    kind: str
    jobs: int
    rounds: int

    @property
    def sales_id(self) -> str:
        """The Sales Navigator id: digits in a text."""
        return str(FIRST_SALES_ID + self.number)

    @property
    def urn(self) -> str:
        """The id in facets and in the filters of a Sales Navigator search."""
        return f"urn:li:organization:{self.sales_id}"

    @property
    def link(self) -> str:
        """The public LinkedIn page."""
        return f"https://www.linkedin.com/company/{self.slug}"

    @property
    def sales_link(self) -> str:
        """The Sales Navigator page, as in experiences and search results."""
        return f"https://linkedin.com/sales/company/{self.sales_id}"

    @property
    def location(self) -> str:
        """City and country code of the headquarters."""
        return f"{self.place[0]}, {self.place[2]}"

    @property
    def domain(self) -> str:
        """The domain of the website and of e-mail addresses; always below example.com."""
        return f"{self.key}.example.com"

    @property
    def text(self) -> str:
        """The text that keywords are compared with, in lower case."""
        city, country, code = self.place
        return " ".join(
            (self.name, self.industry, city, country, code, self.kind, self.size, self.urn)
        ).casefold()


def make(seed: int, number: int, slug: str, name: str) -> OrganisationRecord:
    """The company with this number, always the same for the same seed and slug."""
    rng = rng_for(seed, "organisation", slug)
    least, most, size = rng.choice(names.SIZES)
    employees = rng.randint(least, most)
    return OrganisationRecord(
        number=number,
        key=slug,
        slug=slug,
        name=name,
        industry=rng.choice(names.INDUSTRIES),
        size=size,
        employees=employees,
        followers=employees * rng.randint(3, 40) + rng.randint(0, 400),
        founded=rng.randint(1931, 2022),
        place=rng.choice(names.PLACES),
        kind=rng.choice(names.COMPANY_TYPES),
        jobs=rng.randint(0, 40),
        rounds=rng.randint(0, 9),
    )


def ids(one: OrganisationRecord) -> dict[str, object]:
    """The ids object of `ids.organisation`; `id` is a number in a text."""
    uuid = b64encode(f"organisation:{one.number}".encode()).decode()
    return {
        "id": str(FIRST_ID + one.number),
        "name": one.name,
        "liID": one.slug,
        "salesNavID": one.sales_id,
        "uuid": uuid,
    }


def links(one: OrganisationRecord) -> dict[str, object]:
    """The two pages of a company."""
    return {
        "liProfileURL": one.link,
        "salesNavURL": f"https://www.linkedin.com/sales/company/{one.sales_id}",
    }


def _description(one: OrganisationRecord) -> str:
    return (
        f"{one.name} works in {one.industry.lower()}.\n\nFounded {one.founded} in {one.place[0]}."
    )


def _specialities(one: OrganisationRecord) -> list[str]:
    return rng_for("specialities", one.key).sample(names.SKILLS, 3)


def organisation_body(one: OrganisationRecord) -> dict[str, object]:
    """LiOrganisation (lix.md#li-organisation): numbers are texts, as in the samples."""
    listed = one.kind == "Public Company"
    return {
        "name": one.name,
        "link": one.link,
        "industry": one.industry,
        "website": f"https://{one.domain}",
        "description": _description(one),
        "headquarters": one.location,
        "companyType": one.kind,
        "liEmployeeCount": str(one.employees),
        "size": one.size,
        "specialities": ", ".join(_specialities(one)),
        "numberOfInvestmentRounds": str(one.rounds),
        "followers": str(one.followers),
        "crunchbaseId": one.key if one.rounds else None,
        "salesNavLink": f"https://www.linkedin.com/sales/accounts/insights?companyId={one.sales_id}",
        "logoUrl": f"https://media.example.com/org/{one.key}.png",
        "stockTickerCode": one.name[:4].upper() if listed else None,
        "yearFounded": one.founded,
        "locations": "; ".join(
            sorted({one.place[0], names.PLACES[one.number % len(names.PLACES)][0]})
        ),
        "numberOfJobOpenings": str(one.jobs),
        "autoScraped": False,
        "pastEmployeeCount": None,
        "headquartersAddress": f"{1 + one.number % 90} Sample Street, {one.place[0]}",
        "initialRequestLiId": one.slug,
    }


def profile_body(one: OrganisationRecord) -> dict[str, object]:
    """OrganisationProfile (lix.md#organisation-profile): numbers are numbers."""
    old = organisation_body(one)
    same = (
        "name",
        "industry",
        "size",
        "logoUrl",
        "website",
        "description",
        "specialities",
        "stockTickerCode",
        "headquartersAddress",
    )
    return {key: old[key] for key in same} | {
        "hqCountry": one.place[2],
        "foundedYear": one.founded,
        "orgType": one.kind,
        "employeeCount": one.employees,
        "followerCount": one.followers,
        "jobOpeningsCount": one.jobs,
        "salesNavUrl": f"https://www.linkedin.com/sales/company/{one.sales_id}",
        "linkedinUrl": one.link,
    }


def full_body(one: OrganisationRecord) -> dict[str, object]:
    """The body of `organisation.by_linkedin`: the oldest object and everything added since."""
    return {
        "organisationIds": ids(one) | {"liProfileIsDeleted": False},
        "liOrganisation": organisation_body(one),
        "error": "",
        "profile": profile_body(one),
        "links": links(one),
    }


def unreadable_body(one: OrganisationRecord) -> dict[str, object]:
    """The body of `organisation.by_linkedin` for a company that could not be read."""
    return {**dict.fromkeys(full_body(one)), "error": "organisation could not be read"}


def search_item(one: OrganisationRecord) -> dict[str, object]:
    """An item of the LinkedIn company search; one in eight has only name and link."""
    if chance(0.125, "bare row", one.key):
        return {"name": one.name, "link": one.link}
    keys = ("name", "link", "industry", "description", "followers", "headquarters")
    body = organisation_body(one)
    return {key: body[key] for key in keys}


def account_item(one: OrganisationRecord) -> dict[str, object]:
    """An item of the Sales Navigator account search; one in eight has no industry."""
    item: dict[str, object] = {
        "name": one.name,
        "salesNavLink": f"https://www.linkedin.com/sales/company/{one.sales_id}",
        "industry": one.industry,
        "liEmployeeCount": str(one.employees),
    }
    if chance(0.125, "no industry", one.key):
        item["industry"] = None
        del item["liEmployeeCount"]
    return item
