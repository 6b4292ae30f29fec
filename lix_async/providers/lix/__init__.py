"""The Lix API (`https://api.lix-it.com`): LinkedIn data, searches, messages and contacts."""
