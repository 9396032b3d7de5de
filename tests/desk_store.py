"""A database of each kind for the tests of the desk."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest

UNPRIVILEGED = "postgres"
START_SECONDS = 30.0


def binary(name: str) -> str | None:
    """A program of Debian's postgresql."""
    found = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"))
    return str(found[-1]) if found else shutil.which(name)


@contextmanager
def postgres() -> Iterator[str]:
    """A PostgreSQL of its own on a socket; yields the folder of the socket. It refuses to run as root."""
    initdb, server = binary("initdb"), binary("postgres")
    if initdb is None or server is None:
        pytest.skip("PostgreSQL is not installed: apt-get install postgresql")
    user = UNPRIVILEGED if os.getuid() == 0 else None
    folder = Path(tempfile.mkdtemp(prefix="demarche-pg-"))
    process = None
    try:
        if user is not None:
            try:
                ids = pwd.getpwnam(user)
            except KeyError:
                pytest.skip(f"there is no user {user} to run PostgreSQL as")
            os.chown(folder, ids.pw_uid, ids.pw_gid)
        data = folder / "data"
        command = [initdb, "-D", str(data), "-A", "trust", "-U", UNPRIVILEGED, "--no-sync", "--encoding=UTF8"]
        subprocess.run(command, user=user, cwd=folder, check=True, capture_output=True, timeout=60)
        process = subprocess.Popen(
            [server, "-D", str(data), "-k", str(folder), "-c", "listen_addresses=", "-c", "fsync=off"],
            user=user,
            cwd=folder,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        until = time.monotonic() + START_SECONDS
        while True:
            try:
                connect(str(folder)).close()
                break
            except psycopg.OperationalError:
                assert time.monotonic() < until, "PostgreSQL does not start"
                assert process.poll() is None, "PostgreSQL ended"
                time.sleep(0.1)
        yield str(folder)
    finally:
        if process is not None:
            process.send_signal(signal.SIGINT)  # its fast shutdown: SIGTERM waits for every client to leave
            process.wait(30)
        shutil.rmtree(folder, ignore_errors=True)


def connect(folder: str) -> psycopg.Connection:
    return psycopg.connect(host=folder, user=UNPRIVILEGED, dbname="postgres", autocommit=True)


def new_database(folder: str) -> str:
    """The address of an empty database."""
    name = f"desk_{uuid.uuid4().hex}"
    with connect(folder) as connection:
        connection.execute(f'CREATE DATABASE "{name}"')
    return f"postgresql+psycopg://{UNPRIVILEGED}@/{name}?host={folder}"
