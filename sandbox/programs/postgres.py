"""A throw-away PostgreSQL server on a free port of 127.0.0.1."""

import itertools
import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Self

import psycopg

from sandbox.programs import parts, processes

OWNER = "freshness"
DURABLE = ("fsync", "synchronous_commit", "full_page_writes")


class PostgresServer:
    """`async with PostgresServer() as server:` and then `with server.databases() as create:` for each test.

    PostgreSQL refuses to run as root; there it runs as Debian's user `postgres`. What it writes is not made
    durable, since nobody needs it afterwards. Raises `parts.MissingPart` where PostgreSQL is missing.
    """

    def __init__(self) -> None:
        self.port = 0
        self._child: processes.Child | None = None
        self._folder: Path | None = None
        self._numbers: Iterator[int] = itertools.count(1)

    async def __aenter__(self) -> Self:
        parts.require("postgres")
        binaries = parts.postgres_binaries()
        assert binaries is not None
        self._folder = Path(tempfile.mkdtemp(prefix="freshness-postgres-"))
        user = "postgres" if os.geteuid() == 0 else None
        if user is not None:
            shutil.chown(self._folder, user)
        try:
            data = self._folder / "data"
            _initialise(binaries, data, user)
            options = ["-h", "127.0.0.1", "-k", str(self._folder)]
            options += [part for name in DURABLE for part in ("-c", f"{name}=off")]

            def command(port: int) -> list[str | Path]:
                return [binaries / "postgres", "-D", data, "-p", str(port), *options]

            self._child, self.port = await processes.start_on_free_port(
                command,
                self._folder / "log",
                "ready to accept connections",
                user=user,
                stop_signal=signal.SIGINT,
                folder=self._folder,
            )
        except BaseException:
            self._stop()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        self._stop()

    def create_database(self, template: str | None = None) -> str:
        """The URL of a new database, empty or a copy of the one at the URL `template`, which nobody may be using:
        `postgresql://USER@127.0.0.1:PORT/NAME`."""
        name = f"freshness_{next(self._numbers)}"
        copied = f' TEMPLATE "{template.rpartition("/")[2]}" STRATEGY file_copy' if template else ""
        with psycopg.connect(self._url("postgres"), autocommit=True) as connection:
            connection.execute(f'CREATE DATABASE "{name}"{copied}'.encode())
        return self._url(name)

    @contextmanager
    def database_in(self, disk: Path) -> Iterator[str]:
        """The URL of a new database whose files lie in that folder, for as long as the context lasts."""
        user = "postgres" if os.geteuid() == 0 else None
        if user is not None:
            shutil.chown(disk, user)
        name = f"freshness_{next(self._numbers)}"
        with psycopg.connect(self._url("postgres"), autocommit=True) as connection:
            connection.execute(f"CREATE TABLESPACE \"{name}\" LOCATION '{disk}'".encode())
            try:
                made = f'CREATE DATABASE "{name}" TABLESPACE "{name}" STRATEGY file_copy'
                connection.execute(made.encode())
                yield self._url(name)
            finally:
                connection.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)'.encode())
                connection.execute(f'DROP TABLESPACE "{name}"'.encode())

    @contextmanager
    def databases(self) -> Iterator[Callable[[str | None], str]]:
        """Yields `create_database`; what it made is dropped in the end, even if somebody is connected still.

        A copy takes 12 MB, and thousands of tests share a server whose folder lies in memory.
        """
        made: list[str] = []

        def create(template: str | None = None) -> str:
            made.append(self.create_database(template))
            return made[-1]

        try:
            yield create
        finally:
            with psycopg.connect(self._url("postgres"), autocommit=True) as connection:
                for url in made:
                    connection.execute(f'DROP DATABASE "{url.rpartition("/")[2]}" WITH (FORCE)'.encode())

    def _url(self, database: str) -> str:
        return f"postgresql://{OWNER}@127.0.0.1:{self.port}/{database}"

    def _stop(self) -> None:
        if self._child is not None:
            self._child.stop()
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)


def _initialise(binaries: Path, data: Path, user: str | None) -> None:
    options = ["--auth=trust", f"--username={OWNER}", "--encoding=UTF8", "--locale=C", "--no-sync"]
    made = subprocess.run(
        [binaries / "initdb", "-D", data, *options],
        user=user,
        group=user,
        extra_groups=[] if user else None,
        cwd=data.parent,
        capture_output=True,
        text=True,
        check=False,
    )
    if made.returncode != 0:
        raise processes.DidNotStart(f"initdb: {(made.stderr or made.stdout)[-600:].strip()}")
