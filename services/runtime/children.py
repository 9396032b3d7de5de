"""Child processes that end with their parent, even when the parent is killed."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import IO

PR_SET_PDEATHSIG = 1
LAUNCHER = Path(__file__)


def spawn(
    command: Sequence[str],
    death_signal: int,
    stdout: int | IO[bytes] | None = None,
    stderr: int | IO[bytes] | None = None,
    env: Mapping[str, str] | None = None,
) -> subprocess.Popen[bytes]:
    """Starts `command` in a session of its own (a Ctrl-C in the terminal does not reach it) through this file's main,
    which asks the kernel to send `death_signal` when the thread that called `spawn` ends, then becomes the command.

    Linux only; elsewhere the child outlives a killed parent. FileNotFoundError shows as exit code 127.
    """
    return subprocess.Popen(
        [sys.executable, "-I", "-S", str(LAUNCHER), str(os.getpid()), str(int(death_signal)), *command],
        stdin=subprocess.DEVNULL,
        stdout=stdout,
        stderr=stderr,
        env=env,
        start_new_session=True,
    )


def stop(children: Iterable[subprocess.Popen[bytes]], seconds: float) -> None:
    """SIGTERM to all at once, SIGKILL to those still there after `seconds`; returns when all are gone."""
    running = [child for child in children if child.poll() is None]
    for child in running:
        child.send_signal(signal.SIGTERM)
    until = time.monotonic() + seconds
    for child in running:
        try:
            child.wait(max(0.0, until - time.monotonic()))
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()


def main(arguments: Sequence[str]) -> int:
    """`children.py PARENT_PID SIGNAL COMMAND…`: ties this process to its parent and becomes the command."""
    parent, death_signal, command = int(arguments[0]), int(arguments[1]), list(arguments[2:])
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, death_signal, 0, 0, 0)
        if os.getppid() != parent:  # It died before we asked.
            return 1
    try:
        os.execvp(command[0], command)  # noqa: S606
    except FileNotFoundError:
        sys.stderr.write(f"{command[0]}: not found\n")
        return 127


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
