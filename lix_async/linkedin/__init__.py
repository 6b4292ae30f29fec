"""LinkedIn links, ids and search URLs: read, compared and built, without network access.

Modules in reading order: `kinds` (what a link is), `address` (the parts of a URL), `urns`, `links`
(URLs and URNs to links), `identifiers` (one id of a link), `filters`, `restli` (the notation of
Sales Navigator queries), `searches`, and `fields` (links in the params and results of providers).
They import `core` only. Functions raise `ConfigurationError` for a text that they cannot read, and
say what to pass instead.

Example:
    ```python
    from lix_async import linkedin

    linkedin.normalise("de.linkedin.com/in/Example-Person-1/en?trk=x")
    # 'https://www.linkedin.com/in/example-person-1'
    linkedin.lead_search(
        linkedin.current_title("Founder", linkedin.Value("Co-Owner", excluded=True)),
        keywords="climate",
    )
    ```
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .filters import *
    from .identifiers import *
    from .kinds import *
    from .links import *
    from .searches import *
else:
    # Imported on first use, since `import lix_async` needs only `fields`.
    def __getattr__(name: str) -> object:
        from importlib import import_module

        modules = ("identifiers", "kinds", "links", "filters", "searches")
        for module in modules if name in __all__ else ():
            found = vars(import_module(f"{__name__}.{module}"))
            if name in found:
                return found[name]
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")

    def __dir__() -> list[str]:
        return sorted({*globals(), *__all__})


__all__ = [
    "FACETS",
    "Facet",
    "Filter",
    "Kind",
    "Link",
    "SalesSearch",
    "Value",
    "account_search",
    "classify",
    "company_id",
    "company_size",
    "company_type",
    "current_company",
    "current_title",
    "function",
    "group",
    "industry",
    "job_id",
    "job_search",
    "lead_search",
    "normalise",
    "of_facet",
    "org_search",
    "parse_account_search",
    "parse_lead_search",
    "past_company",
    "past_title",
    "people_search",
    "post_search",
    "post_urn",
    "profile_language",
    "public_identifier",
    "region",
    "sales_nav_id",
    "same",
    "school",
    "seniority",
    "years_of_experience",
]
