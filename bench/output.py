"""Arguments that all benchmarks share, and where their figures go."""

from __future__ import annotations

import argparse
import json
import os
import platform
import re
import time
from pathlib import Path
from typing import Any

BUSY_SECONDS = 0.5
RESULTS = Path(__file__).parent / "results"
QUICK_RESULTS = Path(".demarche") / "bench"
"""Figures of a quick run show that it works, not how fast; they do not stand beside the real ones."""


def parser(what: str | None) -> argparse.ArgumentParser:
    """A parser with --quick; its arguments also hold how busy the machine was before the benchmark began."""
    made = argparse.ArgumentParser(description=what, formatter_class=argparse.RawDescriptionHelpFormatter)
    made.add_argument("--quick", action="store_true", help=f"little work, to see that it runs; writes {QUICK_RESULTS}")
    made.set_defaults(busy_before=busy())
    return made


def folder(quick: bool) -> Path:
    """Where the figures of this kind of run are."""
    return QUICK_RESULTS if quick else RESULTS


def write(name: str, found: dict[str, Any], args: argparse.Namespace) -> None:
    """Writes NAME.json, with the machine that it is about, and tells where; `args` come from `parser`."""
    path = folder(args.quick) / f"{name}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    about = machine() | {"busy_before": args.busy_before}
    path.write_text(json.dumps({"machine": about} | found, indent=1) + "\n")
    say(f"written to {path}")


def say(line: str) -> None:
    """Progress, at once."""
    print(line, flush=True)


def busy() -> float:
    """The part of all cores that is at work now, over half a second."""
    idle, whole = _idle_ticks()
    time.sleep(BUSY_SECONDS)
    idle_later, whole_later = _idle_ticks()
    return round(1 - (idle_later - idle) / max(1, whole_later - whole), 2)


def _idle_ticks() -> tuple[int, int]:
    """Ticks of all cores since boot: idle or waiting for disks, and all."""
    ticks = [int(n) for n in Path("/proc/stat").read_text().split("\n")[0].split()[1:9]]
    return ticks[3] + ticks[4], sum(ticks)


def machine() -> dict[str, Any]:
    """Processor, cores that this process may use, memory, Python."""
    info = Path("/proc/cpuinfo").read_text(errors="replace")
    name = re.search(r"^model name\s*: (.*)$", info, re.MULTILINE)
    pages = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return {
        "processor": name[1] if name else platform.machine(),
        "cores": len(os.sched_getaffinity(0)),
        "memory_gb": round(pages / 2**30, 1),
        "python": platform.python_version(),
    }
