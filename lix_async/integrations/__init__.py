"""Adapters to job queues and frameworks. Each one needs its extra.

`job_queue` (submit and work) and `chunk_worker` (what a worker does with a chunk) are shared by
`pgqueuer` and `procrastinate`. `fastapi` and `opentelemetry` stand for themselves.

May import `core`, `filesystem`, `concurrency`, `engine`, `ledger`, `bulk` and the providers.
"""
