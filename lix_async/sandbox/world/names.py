"""The words of the world: syllables for names, and ordinary words for everything else.

No name is real: the names of people, places, schools and companies are made of syllables. Job
titles, skills and industries are ordinary words, so that searches are realistic.
"""

from __future__ import annotations

from random import Random


def words(text: str) -> tuple[str, ...]:
    """The words of a text, separated by spaces."""
    return tuple(text.split())


def _phrases(text: str) -> tuple[str, ...]:
    return tuple(text.split(", "))


_FIRST_STARTS = words(
    "Zel Vor Quin Thal Bre Ixa Nyr Oru Pav Wex Yde Kae Fenn Jor Ludo Mav Sio Ursa Drae Hal"
)
_FIRST_ENDS = words("mira dor ith wyn ulo essa vane aro kel nia tis bel rane osk")
_LAST_STARTS = words(
    "Ashk Bolt Crend Dovr Emb Farn Gost Hulv Irk Jant Korv Lusk Morv Nesk Ostr Prent Quell "
    "Rusk Stav Tolv Umb Vask Wend Yorv"
)
_LAST_ENDS = words("ari endor ilo oray ustan evik amar ingsol ober etti unov aska")
_ORG_STARTS = words(
    "Arvo Belu Cindra Dexo Elvi Fluxa Gravo Hexi Intra Juno Kelvo Lumo Mondra Nexo Opta "
    "Prisma Quanto Rivo Solva Terra Umbra Vanta"
)
_ORG_ENDS = words("dyne fold grid lane mark nest path quill root stack trace wave yard")
_ORG_KINDS = words(
    "Systems Labs Works Group Analytics Logistics Foods Health Energy Capital Studios "
    "Partners Software Materials Robotics"
)

PLACES = (
    ("Velmora", "Nordavia", "XN"),
    ("Port Eskel", "Nordavia", "XN"),
    ("Grandholm", "Nordavia", "XN"),
    ("Tessaly Bay", "Ostrelia", "XO"),
    ("Quarrin", "Ostrelia", "XO"),
    ("New Lorven", "Ostrelia", "XO"),
    ("Sandmere", "Calveria", "XC"),
    ("Upper Thane", "Calveria", "XC"),
    ("Brisk Harbour", "Calveria", "XC"),
    ("Mirrowick", "Albrenia", "XA"),
    ("Dunfallow", "Albrenia", "XA"),
    ("Ketterby", "Albrenia", "XA"),
    ("Solhaven", "Zentria", "XZ"),
    ("Orrinford", "Zentria", "XZ"),
    ("Lake Averil", "Zentria", "XZ"),
)
"""City, country, country code. The places do not exist; ISO 3166 reserves the codes for users."""

SENIORITIES = _phrases(
    "Unpaid, Training, Entry, Senior, Manager, Director, Vice President, CXO, Partner, Owner"
)
"""In the order of their facet ids from 1: in the documented sample, Entry is 3 and Partner is 9."""

TITLES = (
    ("Software Engineer", "Entry", "Engineering"),
    ("Senior Software Engineer", "Senior", "Engineering"),
    ("Staff Engineer", "Senior", "Engineering"),
    ("Engineering Manager", "Manager", "Engineering"),
    ("Director of Engineering", "Director", "Engineering"),
    ("Chief Technology Officer", "CXO", "Engineering"),
    ("Data Engineer", "Entry", "Engineering"),
    ("Data Scientist", "Senior", "Engineering"),
    ("Machine Learning Engineer", "Senior", "Engineering"),
    ("Site Reliability Engineer", "Senior", "Engineering"),
    ("Product Manager", "Manager", "Product Management"),
    ("Head of Product", "Director", "Product Management"),
    ("Chief Product Officer", "CXO", "Product Management"),
    ("Product Designer", "Senior", "Design"),
    ("Account Executive", "Entry", "Sales"),
    ("Sales Development Representative", "Entry", "Sales"),
    ("Sales Manager", "Manager", "Sales"),
    ("Head of Sales", "Director", "Sales"),
    ("Vice President of Sales", "Vice President", "Sales"),
    ("Chief Revenue Officer", "CXO", "Sales"),
    ("Marketing Manager", "Manager", "Marketing"),
    ("Head of Growth", "Director", "Marketing"),
    ("Chief Marketing Officer", "CXO", "Marketing"),
    ("Content Strategist", "Senior", "Marketing"),
    ("Recruiter", "Senior", "Human Resources"),
    ("Talent Partner", "Senior", "Human Resources"),
    ("Head of People", "Director", "Human Resources"),
    ("Financial Analyst", "Entry", "Finance"),
    ("Finance Director", "Director", "Finance"),
    ("Chief Financial Officer", "CXO", "Finance"),
    ("Operations Manager", "Manager", "Operations"),
    ("Chief Operating Officer", "CXO", "Operations"),
    ("Chief Executive Officer", "CXO", "Operations"),
    ("Founder", "Owner", "Operations"),
    ("Managing Partner", "Partner", "Consulting"),
    ("Consultant", "Senior", "Consulting"),
    ("Customer Success Manager", "Manager", "Support"),
    ("Support Engineer", "Entry", "Support"),
    ("Legal Counsel", "Senior", "Legal"),
    ("Marketing Intern", "Training", "Marketing"),
)
"""Title, seniority, function."""

SKILLS = _phrases(
    "Python, SQL, Java, Go, Rust, TypeScript, Data Analysis, Machine Learning, Statistics, "
    "Distributed Systems, Cloud Computing, Kubernetes, Product Strategy, Roadmapping, User "
    "Research, Interface Design, Negotiation, Account Management, Lead Generation, Forecasting, "
    "Cold Calling, Copywriting, Search Engine Optimisation, Brand Strategy, Event Planning, "
    "Recruiting, Coaching, Financial Modelling, Budgeting, Auditing, Supply Chain, Process "
    "Improvement, Public Speaking, Team Leadership, Strategic Planning, Contract Law, Compliance, "
    "Customer Service, Technical Writing, Project Management"
)

INDUSTRIES = _phrases(
    "Computer Software, Financial Services, Hospital & Health Care, Logistics and Supply Chain, "
    "Marketing and Advertising, Renewables & Environment, Food Production, Higher Education, "
    "Management Consulting, Mechanical Engineering, Telecommunications, Biotechnology"
)

SIZES = (
    (2, 10, "2-10"),
    (11, 50, "11-50"),
    (51, 200, "51-200"),
    (201, 500, "201-500"),
    (501, 1000, "501-1000"),
    (1001, 5000, "1001-5000"),
    (5001, 10000, "5001-10000"),
    (10001, 90000, "10001+"),
)
"""Minimum, maximum, and the text of the range."""

COMPANY_TYPES = ("Public Company", "Privately Held", "Partnership", "Nonprofit", "Self-Owned")
LANGUAGES = ("English", "Nordavian", "Ostrelian", "Calverian", "Zentrian")
DEGREES = ("Bachelor's degree", "Master's degree", "BSc", "MBA", "Doctorate")
FIELDS = _phrases(
    "Applied Studies, Computing, Economics, Mechanics, Letters, Statistics, Design, Law"
)
MONTHS = _phrases(
    "January, February, March, April, May, June, July, August, September, October, November, "
    "December"
)


def person_name(rng: Random) -> tuple[str, str]:
    """A first and a last name."""
    first = rng.choice(_FIRST_STARTS) + rng.choice(_FIRST_ENDS)
    return first, rng.choice(_LAST_STARTS) + rng.choice(_LAST_ENDS)


def organisation_name(rng: Random) -> str:
    """A company name of two words."""
    return f"{rng.choice(_ORG_STARTS)}{rng.choice(_ORG_ENDS)} {rng.choice(_ORG_KINDS)}"


def school_name(rng: Random) -> str:
    """The name of a school, after a city of the world."""
    return rng.choice(("University of {}", "{} Institute", "{} College")).format(
        rng.choice(PLACES)[0]
    )


def slug(name: str) -> str:
    """A name as in LinkedIn links: lower case, words joined by hyphens."""
    return "-".join("".join(c if c.isalnum() else " " for c in name.lower()).split())


def from_slug(text: str) -> str:
    """The name for a slug: `example-org-7` is `Example Org`, without words that have digits."""
    parts = [
        word
        for word in text.replace("_", "-").split("-")
        if word and not any(c.isdigit() for c in word)
    ]
    return " ".join(word.capitalize() for word in parts)
