"""One package per provider: its API as data, and its client.

Every provider has the same modules: `provider`, `params`, `models`, `endpoints` and `errors`
describe the API and import `core` and `linkedin` only; `resources` and `client` make the client on
top of `engine` and `limiters`. No provider imports another one.
"""
