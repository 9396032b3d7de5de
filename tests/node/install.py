"""The packages of tests/node, installed once from their lock; without node or the registry the test is skipped."""

from __future__ import annotations

import shutil
import subprocess
from functools import cache
from pathlib import Path

import pytest

FOLDER = Path(__file__).parent
SECONDS = 240


@cache
def trouble() -> str | None:
    """Why nothing can be run on node, or None when its packages are there."""
    if shutil.which("node") is None or shutil.which("npm") is None:
        return "node and npm are not installed"
    lock, there = FOLDER / "package-lock.json", FOLDER / "node_modules" / ".package-lock.json"
    if there.exists() and there.stat().st_mtime >= lock.stat().st_mtime:
        return None
    command = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
    done = subprocess.run(command, cwd=FOLDER, capture_output=True, text=True, timeout=SECONDS, check=False)
    return None if done.returncode == 0 else f"npm ci failed: {done.stderr[-300:]}"


def require_node() -> Path:
    """The folder in which node finds the packages; skips the test when that cannot be had."""
    if why := trouble():
        pytest.skip(why)
    return FOLDER


def run_node(script: Path, *arguments: str, seconds: float = 200.0) -> subprocess.CompletedProcess[str]:
    """The script's end and output."""
    command = ["node", str(script), *arguments]
    return subprocess.run(command, cwd=FOLDER, capture_output=True, text=True, timeout=seconds, check=False)
