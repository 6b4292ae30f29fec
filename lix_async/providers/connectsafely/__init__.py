"""The ConnectSafely API: profiles, relationships and searches through connected LinkedIn accounts.

The modules are those of every provider (see `lix_async.providers`), and `rate_limits` (the limits
that responses report) and `usage` (the profiles that were fetched today).
"""
