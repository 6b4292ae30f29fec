"""The Meet Alfred API: campaigns, leads, connections and what happened to them."""
