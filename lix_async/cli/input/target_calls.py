"""The calls of a run for the targets of a file. Apart, since a single lookup needs no `bulk`."""

from __future__ import annotations

from ...bulk.prepared_call import CallPreparer
from ...core.endpoint import AnyEndpoint
from ...core.errors import ConfigurationError
from ...core.models import Params
from ...engine.call_key import Input
from ...providers.lix.client import AsyncLix
from .lookup_kinds import LookupKind
from .targets import LOOKUPS, lookup_kind, params_for, parser_of


class TargetCallPreparer(CallPreparer):
    """Turns links, e-mail addresses or websites into calls, of one kind or by what each is."""

    def __init__(self, lix: AsyncLix, kind: LookupKind | None = None) -> None:
        super().__init__(lix.people.get)
        self.name = ""  # a ledger may hold all kinds
        self._kind: LookupKind | None = kind

    def _parts(self, given: Input) -> tuple[AnyEndpoint, Params, int | None]:
        target = parser_of(self._kind)(given) if isinstance(given, str) else None
        if target is None:
            wanted = "a website" if self._kind == "website" else "a link or an e-mail address"
            raise ConfigurationError(f"not {wanted}: {given!r}")
        kind = lookup_kind(self._kind, target)
        return LOOKUPS[kind].endpoint, params_for(kind, target), None
