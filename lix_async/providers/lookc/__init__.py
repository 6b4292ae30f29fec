"""The LookC API (`https://api.lookc.io`): people by e-mail address, employees of organisations.

The modules are those of every provider (see `lix_async.providers`), and `polling` (waiting for a
lookup) and `webhooks` (what LookC sends to you).
"""
