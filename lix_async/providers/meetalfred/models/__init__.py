"""Results of the Meet Alfred API.

Fields hold the values as they were sent; a property that ends in `_time` reads one as a datetime.
Most types are known from a single published sample, so every field may be missing.
"""

from __future__ import annotations

from .activity import Action, ActionLead, Actions, Replies, Reply
from .campaigns import (
    Campaign,
    Campaigns,
    Degrees,
    NonprofitInterests,
    ProfileLanguages,
    SearchParameters,
    SpecifyKeywords,
    Touch,
    TouchSequence,
)
from .connections import Connection, Connections, MemberConnections
from .leads import AddedLead, LastAction, Lead, Leads, LinkedInData, Person
from .team import TeamMember, TeamMembers

__all__ = [
    "Action",
    "ActionLead",
    "Actions",
    "AddedLead",
    "Campaign",
    "Campaigns",
    "Connection",
    "Connections",
    "Degrees",
    "LastAction",
    "Lead",
    "Leads",
    "LinkedInData",
    "MemberConnections",
    "NonprofitInterests",
    "Person",
    "ProfileLanguages",
    "Replies",
    "Reply",
    "SearchParameters",
    "SpecifyKeywords",
    "TeamMember",
    "TeamMembers",
    "Touch",
    "TouchSequence",
]
