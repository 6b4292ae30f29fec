"""The commands, one module for each command or group of commands.

- `search`, over `listing`: searches. `lookup`: single lookups. `call`: any endpoint.
- `enrich`, over `enrich_run`: files of links, with a ledger. `waterfall`: several providers.
- `run`: ledgers. `worker`: lookups from a queue.
- `account`, `drift`, `sandbox`, `demo`.

They may import every other module of the command line except `app`.
"""
