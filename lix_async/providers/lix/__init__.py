"""The Lix API (`https://api.lix-it.com`): LinkedIn data, searches, messages and contacts.

Modules in reading order: `provider` (base URL, authentication, rate), `params`, `models`,
`endpoints` (the tables), `errors` (error responses), `balances`, `resources` (the methods) and
`client`. The first five describe the API and import `core` and `linkedin` only.
"""
