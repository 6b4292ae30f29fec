"""Running a command: its client, its progress line and its signals.

- `activity`: observes the limiter, the clock and the retry policy of a client.
- `progress`: the progress line.
- `clients`: builds clients from the connection options.
- `session`: runs a command's work, and ends it on a signal.

It may import `errors`, `console`, `options`, `text`, `values` and `providers` of the command line.
"""
