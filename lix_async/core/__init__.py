"""Ground floor: what a provider's API is and how its answers are read. Nothing here waits."""
