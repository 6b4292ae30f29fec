"""The methods of `AsyncLix`, by subject. Each is one line over a row of the table."""
