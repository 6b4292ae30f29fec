"""Event loops, clocks, worker threads and worker pools, for asyncio and trio alike.

Modules in reading order: `clock` (time and randomness), `event_loop` (the running loop),
`background` (a task without a task group), `worker_thread` (one thread that owns a blocking
connection), `worker_pool` (a bounded number of workers over a stream of inputs). The package may
import `core`.
"""
