"""The Letrics API: contacts and companies by filters."""
