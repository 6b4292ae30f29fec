"""What changes while a sandbox runs: credits, rates, lookups and webhooks."""
