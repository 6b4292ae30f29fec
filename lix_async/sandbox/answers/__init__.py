"""Answers: one function for each endpoint, and a table of them for each provider.

Reading order: `context` (what an answer gets besides the world), then a module for each provider:
`lix` (its functions are in `accounts`, `profiles`, `activity`, `searches`, `facets`, `messages` and
`inmail`), `lookc`, `connectsafely` (with `connectsafely_search`), `letrics` and `meetalfred`.

May import `protocol`, `world`, `faults` and `state`.
"""
