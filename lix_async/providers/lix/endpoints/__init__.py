"""The endpoints of the Lix API.

Each is one `Endpoint`, in the module of its subject: `accounts`, `profiles`, `searches` and
`messages`. Params carry the provider's own names. A price is for one call, and of a listing for
one page; where it is missing, none is published. The vendor's public reference is at
https://lix-it.com/docs; the contract that these tables follow is lix.md#endpoints.
"""

from __future__ import annotations

from ....core.endpoint import AnyEndpoint, endpoints_of
from . import accounts, messages, profiles, searches
from .accounts import *
from .messages import *
from .profiles import *
from .searches import *

TABLE: tuple[AnyEndpoint, ...] = (
    *endpoints_of(vars(accounts)),
    *endpoints_of(vars(profiles)),
    *endpoints_of(vars(searches)),
    *endpoints_of(vars(messages)),
)
"""Every endpoint."""

BY_ID: dict[str, AnyEndpoint] = {endpoint.id: endpoint for endpoint in TABLE}
"""Every endpoint by its catalogue id."""
