"""The invented people, organisations, posts and jobs."""
