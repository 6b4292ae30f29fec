"""Values and pure functions: no await, no clock, no randomness, no I/O.

Modules in reading order: `errors`, `validation`, `models` (params, results, listings), `endpoint`,
`pagination`, `provider`, `wire` (params to request, response to result), `decoding`,
`error_responses`, `retry`, `rate_limit`, `schema_drift`, `timestamps`, `bridge` (structs as types
of pydantic), `field_docs`, `freshness` (ages of answers), `subject_fields` and `changes` (what
differs between two answers), `plurals`, `installed_providers`, `lazy_imports`. It may import the
standard library and msgspec; `bridge` also imports `pydantic_core` when pydantic asks, and
`field_docs` the source of the package.
"""
