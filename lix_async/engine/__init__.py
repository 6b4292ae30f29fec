"""One call, one listing: everything of a client that waits.

Modules in reading order:

* `client`: the base class of all clients; `options` checks its arguments.
* `engine`: one call, from permit to retry; `recording` finds out what a call would send.
* `transport`: the HTTP library; `connection_pool`, `response_body` and `credentials` (the API key)
  are parts of it.
* `pages`: listings; `checkpoint` and `raw_items` belong to them.
* `answer`, `credits`, `observer`: what a call brought, what it cost, and a hook for providers.
* `events`: what a client does, for its listeners; `event_log` is the one that writes the log.
* `lookup`: one lookup, charged at most once, over a ledger; `call_key` and `outcome` belong to it.

May import `core`, `linkedin`, `concurrency`, `limiters` and `ledger`.
"""
