"""Results of the ConnectSafely API.

Fields hold the values as they were sent; a property that ends in `_time` reads one as a datetime.
"""

from __future__ import annotations

from .accounts import (
    AccountQuota,
    AccountStatus,
    Endorsement,
    Health,
    LinkedInPlan,
    Quota,
    Relationship,
)
from .profiles import (
    BirthDate,
    Education,
    Experience,
    GeoLocation,
    Location,
    Profile,
    ProfileResult,
    Skill,
)
from .searches import FoundPerson, Group, GroupsPage, PeoplePage, SearchPaging

__all__ = [
    "AccountQuota",
    "AccountStatus",
    "BirthDate",
    "Education",
    "Endorsement",
    "Experience",
    "FoundPerson",
    "GeoLocation",
    "Group",
    "GroupsPage",
    "Health",
    "LinkedInPlan",
    "Location",
    "PeoplePage",
    "Profile",
    "ProfileResult",
    "Quota",
    "Relationship",
    "SearchPaging",
    "Skill",
]
