"""Second floor: one house per API. None looks into another."""
