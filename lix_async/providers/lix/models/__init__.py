"""What the Lix API answers with: one file per kind of thing.

Fields carry the wire's names in snake_case and hold the wire's values in the wire's units; every
one may be missing. Moments have a property ending in `_time` beside them (see `times`).
"""

from .account import (
    AttachedAccount,
    AutoTopUp,
    Balances,
    ConnectionsRemaining,
    DailyAllowance,
    LinkedInAccount,
    LinkedInAccountsPage,
    Warmup,
    WarmupDetails,
)
from .career import (
    Education,
    Employment,
    EmploymentPage,
    Experience,
    PartialDate,
    Tenure,
    TimePeriod,
)
from .connections import Connection, ConnectionsPage, Invitation
from .contact import Email
from .facets import Facet, FacetsPage, FacetType, SkillFacet, SkillFacetsPage
from .ids import IdLinks, OrganisationIds, PersonIds
from .inmail import Mentioned, SalesMessage, SalesThread, SingleThread, ThreadsPage
from .jobs import Company, JobPosting, JobsPage
from .li_organisations import AccountsPage, LiOrganisation, OrganisationProfile, OrganisationsPage
from .messages import Conversation, ConversationsPage, Message, MessagesPage, Participant
from .organisations import Follower, FollowersPage, Organisation, WebsiteMatch, WebsiteMatches
from .people import (
    Certification,
    Contributor,
    Extended,
    Language,
    Patent,
    PeoplePage,
    Person,
    Publication,
    Skill,
    ViewerConnection,
)
from .posts import ActivityPostsPage, Post, PostActor, PostsPage
from .reactions import (
    ActivityReaction,
    ActivityReactionsPage,
    Actor,
    Comment,
    CommentsPage,
    Reaction,
    ReactionCount,
    ReactionsPage,
    TokenPage,
)

__all__ = [
    "AccountsPage",
    "ActivityPostsPage",
    "ActivityReaction",
    "ActivityReactionsPage",
    "Actor",
    "AttachedAccount",
    "AutoTopUp",
    "Balances",
    "Certification",
    "Comment",
    "CommentsPage",
    "Company",
    "Connection",
    "ConnectionsPage",
    "ConnectionsRemaining",
    "Contributor",
    "Conversation",
    "ConversationsPage",
    "DailyAllowance",
    "Education",
    "Email",
    "Employment",
    "EmploymentPage",
    "Experience",
    "Extended",
    "Facet",
    "FacetType",
    "FacetsPage",
    "Follower",
    "FollowersPage",
    "IdLinks",
    "Invitation",
    "JobPosting",
    "JobsPage",
    "Language",
    "LiOrganisation",
    "LinkedInAccount",
    "LinkedInAccountsPage",
    "Mentioned",
    "Message",
    "MessagesPage",
    "Organisation",
    "OrganisationIds",
    "OrganisationProfile",
    "OrganisationsPage",
    "PartialDate",
    "Participant",
    "Patent",
    "PeoplePage",
    "Person",
    "PersonIds",
    "Post",
    "PostActor",
    "PostsPage",
    "Publication",
    "Reaction",
    "ReactionCount",
    "ReactionsPage",
    "SalesMessage",
    "SalesThread",
    "SingleThread",
    "Skill",
    "SkillFacet",
    "SkillFacetsPage",
    "Tenure",
    "ThreadsPage",
    "TimePeriod",
    "TokenPage",
    "ViewerConnection",
    "Warmup",
    "WarmupDetails",
    "WebsiteMatch",
    "WebsiteMatches",
]
