"""What the providers answer: a function for each row, a registry for each provider."""
