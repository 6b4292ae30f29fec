"""Results of the Lix API, in one module per subject.

Fields have the API's names in snake_case and hold the values and units that were sent; every field
may be missing. For a time, a property that ends in `_time` reads it as an aware datetime.
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
