"""The OpenAPI 3.1 document of the sandbox, made from the endpoints of its providers.

Reading order: `document` (paths and security), `schemas` (JSON schemas of parameters and results),
`required_params` (rules that the types do not express).

May import `protocol`, `world`, `faults`, `state`, `answers` and `providers`.
"""

from .document import document

__all__ = ["document"]
