"""The Letrics API: contacts and companies by filters.

The modules are those of every provider (see `lix_async.providers`), and `locations`, which builds
location filters.
"""
