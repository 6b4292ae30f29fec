"""Adapters to job queues and frameworks. Each one needs its extra.

`chunk_worker` (chunks of inputs as jobs) is shared by `pgqueuer` and `procrastinate`.

May import `core`, `concurrency`, `engine`, `bulk` and the providers.
"""
