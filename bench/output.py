"""Arguments that all benchmarks share, and where their figures go."""

from __future__ import annotations

import argparse
import json
import os
import platform
import re
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).parent / "results"
QUICK_RESULTS = Path(".demarche") / "bench"
"""Figures of a quick run show that it works, not how fast; they do not stand beside the real ones."""


def parser(what: str | None) -> argparse.ArgumentParser:
    """A parser with --quick."""
    made = argparse.ArgumentParser(description=what, formatter_class=argparse.RawDescriptionHelpFormatter)
    made.add_argument("--quick", action="store_true", help=f"little work, to see that it runs; writes {QUICK_RESULTS}")
    return made


def folder(quick: bool) -> Path:
    """Where the figures of this kind of run are."""
    return QUICK_RESULTS if quick else RESULTS


def write(name: str, found: dict[str, Any], quick: bool) -> None:
    """Writes NAME.json, with the machine that it is about, and tells where."""
    path = folder(quick) / f"{name}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"machine": machine()} | found, indent=1) + "\n")
    say(f"written to {path}")


def say(line: str) -> None:
    """Progress, at once."""
    print(line, flush=True)


def machine() -> dict[str, Any]:
    """Processor, cores this process may use, memory, Python, and the load: whether others were at work too."""
    info = Path("/proc/cpuinfo").read_text(errors="replace")
    name = re.search(r"^model name\s*: (.*)$", info, re.MULTILINE)
    pages = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return {
        "processor": name[1] if name else platform.machine(),
        "cores": len(os.sched_getaffinity(0)),
        "memory_gb": round(pages / 2**30, 1),
        "python": platform.python_version(),
        "load_1_min": round(os.getloadavg()[0], 2),
    }
