"""Where jobs are kept: a file in SQLite, with the inputs, for the processes of one machine.

Each process that runs jobs holds a lock beside the file, named by its token. A job whose process
is gone is claimed by another one. Every operation opens a connection of its own, so that it may be
done in any thread.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Generator, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import IO, Literal

import msgspec

from ...bulk.progress import Progress
from ...engine.call_key import Input
from ...filesystem import create_private_file, make_private, try_lock
from ...ledger.owners import lock_path, new_token

JobState = Literal["running", "parked", "failed", "ended"]
"""`running` is also what a stop of the process has interrupted; `failed`: an error ended it."""
BATCH = 256
"""Inputs that are read at once."""
SCHEMA = """
CREATE TABLE IF NOT EXISTS job (
    id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL UNIQUE, state TEXT NOT NULL,
    method TEXT NOT NULL, ledger TEXT NOT NULL, options TEXT NOT NULL, inputs INTEGER NOT NULL,
    progress BLOB, owner BLOB
);
CREATE TABLE IF NOT EXISTS job_input (
    job INTEGER NOT NULL, number INTEGER NOT NULL, given BLOB NOT NULL, PRIMARY KEY (job, number)
) WITHOUT ROWID;
"""


class JobSpec(msgspec.Struct, frozen=True):
    """What a job does."""

    name: str
    method: str
    """The class of the client and the method: `AsyncLix.people.get`."""
    ledger: str
    options: dict[str, object]
    """Those of its run."""


class StoredJob(msgspec.Struct, frozen=True):
    """A job as it is in the file."""

    id: int
    spec: JobSpec
    state: JobState
    inputs: int
    progress: Progress | None
    owner: bytes | None
    """The token of the process that runs it."""


class JobStore:
    """The file of jobs, as one process uses it.

    Args:
        path: The file; created with mode 0600 if it is missing.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.token = b""
        """That of this process, from `open` on: a process that forks has another one."""
        self._lock: IO[bytes] | None = None

    def open(self) -> None:
        """Create the file if it is missing, and begin to be a process that may run jobs.

        Raises:
            OSError: A file cannot be created or locked.
            sqlite3.Error: It is not such a file.
        """
        create_private_file(self.path)
        make_private(self.path)
        with self._connected() as connection:
            connection.executescript(SCHEMA)
        self.token = new_token()
        self._lock = try_lock(lock_path(self.path, self.token))

    def close(self) -> None:
        """Be no such process any more."""
        lock, self._lock = self._lock, None
        if lock is not None:
            lock_path(self.path, self.token).unlink(missing_ok=True)
            lock.close()

    @contextmanager
    def _connected(self) -> Generator[sqlite3.Connection, None, None]:
        """A connection in a transaction, which takes the place of others' after 30 seconds."""
        with closing(sqlite3.connect(self.path, timeout=30.0)) as connection, connection:
            yield connection

    def names(self) -> list[str]:
        """The names of all jobs, in order."""
        with self._connected() as connection:
            rows = connection.execute("SELECT name FROM job ORDER BY name")
            return [name for (name,) in rows]

    def jobs(self, name: str | None = None) -> list[StoredJob]:
        """All jobs, or the one of a name."""
        query = "SELECT id, name, method, ledger, options, state, inputs, progress, owner FROM job"
        with self._connected() as connection:
            rows = connection.execute(
                f"{query} WHERE ? IS NULL OR name = ?", (name, name)
            ).fetchall()
        return [
            StoredJob(
                job,
                JobSpec(name, method, ledger, msgspec.json.decode(options, type=dict[str, object])),
                state,
                inputs,
                None if progress is None else msgspec.json.decode(progress, type=Progress),
                owner,
            )
            for job, name, method, ledger, options, state, inputs, progress, owner in rows
        ]

    def add(self, spec: JobSpec, inputs: Sequence[bytes]) -> int | None:
        """Keep a new job, which this process runs; None where one of that name is not over."""
        with self._connected() as connection:
            connection.execute("BEGIN IMMEDIATE")
            old = connection.execute("SELECT id, state FROM job WHERE name = ?", (spec.name,))
            for job, state in old.fetchall():
                if state in ("running", "parked"):
                    return None
                connection.execute("DELETE FROM job_input WHERE job = ?", (job,))
                connection.execute("DELETE FROM job WHERE id = ?", (job,))
            options = msgspec.json.encode(spec.options).decode()
            added = connection.execute(
                "INSERT INTO job (name, state, method, ledger, options, inputs, owner) "
                "VALUES (?, 'running', ?, ?, ?, ?, ?)",
                (spec.name, spec.method, spec.ledger, options, len(inputs), self.token),
            )
            job = added.lastrowid
            connection.executemany(
                "INSERT INTO job_input VALUES (?, ?, ?)",
                ((job, number, given) for number, given in enumerate(inputs)),
            )
            return job

    def claim(self, job: StoredJob) -> bool:
        """Take over a job that no living process runs; False where another one was quicker."""
        if job.owner is not None and not self._is_gone(job.owner):
            return False
        with self._connected() as connection:
            changed = connection.execute(
                "UPDATE job SET owner = ?, state = 'running' WHERE id = ? AND owner IS ?",
                (self.token, job.id, job.owner),
            )
            return changed.rowcount == 1

    def _is_gone(self, owner: bytes) -> bool:
        """Whether the process of a token has ended: the system releases its lock then."""
        path = lock_path(self.path, owner)
        lock = None if owner == self.token else try_lock(path)
        if lock is None:
            return False
        path.unlink(missing_ok=True)
        lock.close()
        return True

    def note(self, job: int, progress: Progress) -> JobState:
        """Keep how far a job is; the state that it is to have, which another process may set."""
        with self._connected() as connection:
            connection.execute(
                "UPDATE job SET progress = ? WHERE id = ?", (msgspec.json.encode(progress), job)
            )
            row = connection.execute("SELECT state FROM job WHERE id = ?", (job,)).fetchone()
        return "ended" if row is None else row[0]

    def park(self, job: int) -> None:
        """Ask the process that runs a job to park it."""
        with self._connected() as connection:
            connection.execute(
                "UPDATE job SET state = 'parked' WHERE id = ? AND state = 'running'", (job,)
            )

    def resume(self, job: int) -> bool:
        """Let a job go on that a process runs and is to park; whether there is such a job."""
        with self._connected() as connection:
            changed = connection.execute(
                "UPDATE job SET state = 'running' "
                "WHERE id = ? AND state = 'parked' AND owner IS NOT NULL",
                (job,),
            )
            return changed.rowcount == 1

    def end(
        self, job: int, state: JobState, progress: Progress | None, *, asked_by_file: bool = False
    ) -> None:
        """This process runs a job no longer.

        Args:
            job: The job.
            state: What became of it.
            progress: How far it is.
            asked_by_file: Whether it was parked because the file said so, which `resume` may have
                taken back.
        """
        parks = asked_by_file and state == "parked"
        with self._connected() as connection:
            connection.execute(
                "UPDATE job SET state = CASE WHEN ? AND state = 'running' THEN state ELSE ? END, "
                "progress = ?, owner = NULL WHERE id = ? AND owner = ?",
                (parks, state, progress and msgspec.json.encode(progress), job, self.token),
            )


class StoredInputs:
    """The inputs of a job, read as they are needed."""

    def __init__(self, path: Path, job: int, count: int) -> None:
        self._path = path
        self._job = job
        self._count = count

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[Input]:
        query = "SELECT given FROM job_input WHERE job = ? AND number >= ? ORDER BY number LIMIT ?"
        for start in range(0, self._count, BATCH):
            with closing(sqlite3.connect(self._path, timeout=30.0)) as connection:
                rows = connection.execute(query, (self._job, start, BATCH)).fetchall()
            for (given,) in rows:
                yield msgspec.json.decode(given)
