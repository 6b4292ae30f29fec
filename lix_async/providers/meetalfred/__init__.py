"""The Meet Alfred API: campaigns, leads, connections and replies.

The modules are those of every provider; see `lix_async.providers`.
"""
