"""`python -m tests.crash --kills 1000 --seed 1`: schedules one after another until there were that many kills, then a
table. Exit code 1 when anything was lost, doubled, out of order or committed too early."""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from tests.crash.place import given, place
from tests.crash.plan import POINTS, SIGNALS
from tests.crash.schedule import Calm, Result, calm_run, run

ROUND_KILLS = 48
ROUND_SECONDS = 900.0
SHOWN = 20


def main() -> int:
    """Runs the rounds; round n has the seed SEED + n."""
    parser = argparse.ArgumentParser(prog="python -m tests.crash", description=__doc__)
    parser.add_argument("--kills", type=int, default=1000, help="in all; a round has 48 at most")
    parser.add_argument("--seed", type=int, default=1, help="of the first round; the next ones count on from it")
    parser.add_argument("--logs", type=Path, help="where the services' logs go (default: a new temporary folder)")
    told = parser.parse_args()
    folder = told.logs or Path(tempfile.mkdtemp(prefix="demarche-crash-"))
    brokers = given()
    print(f"brokers {brokers.bootstrap if brokers else 'local'}; logs in {folder}", flush=True)
    with place() as settings:
        calm = calm_run(settings, folder / "calm")
    results: list[Result] = []
    while (left := told.kills - sum(r.kills.total() for r in results)) > 0:
        result = one_round(told.seed + len(results), min(ROUND_KILLS, left), calm, folder)
        results.append(result)
        print(line(result), flush=True)
        if result.findings.all() or not result.kills:
            break
    print(table(results))
    return int(any(r.findings.all() for r in results) or any(not r.kills for r in results))


def one_round(seed: int, kills: int, calm: Calm, folder: Path) -> Result:
    """A schedule in a place of its own."""
    with place() as settings:
        return run(settings, seed, kills, calm, folder / f"seed-{seed}", ROUND_SECONDS)


def line(result: Result) -> str:
    """A round in a line, and below it what is wrong."""
    found = result.findings.all()
    shown = "".join(f"\n    {text}" for text in found[:SHOWN])
    stamp = time.strftime("%H:%M:%S")
    return (
        f"{stamp} seed {result.seed}: {result.kills.total()} kills ({result.missed} not reached), "
        f"{result.articles} articles, {result.seconds:.0f} s, findings {len(found)}{shown}"
    )


def table(results: list[Result]) -> str:
    """Kills by point and signal, and what they did."""
    kills: Counter[tuple[str, str]] = sum((r.kills for r in results), Counter())
    signals = list(dict.fromkeys(SIGNALS))
    rows = [["killed", *signals, "all"]]
    for point in POINTS:
        counts = [kills[point, s] for s in signals]
        rows.append([point, *(str(c) for c in counts), str(sum(counts))])
    rows.append(["all", *(str(sum(kills[p, s] for p in POINTS)) for s in signals), str(kills.total())])
    lines = [f"{row[0]:24}" + "".join(f"{cell:>7}" for cell in row[1:]) for row in rows]
    ends: Counter[str] = sum((r.ends for r in results), Counter())
    seeds = [str(r.seed) for r in results]
    sums = {
        "input offsets": sum(r.inputs for r in results),
        "events": sum(r.events for r in results),
        "lost": sum(len(r.findings.lost) for r in results),
        "doubled": sum(len(r.findings.doubled) for r in results),
        "out of order": sum(len(r.findings.disordered) for r in results),
        "committed too early": sum(len(r.findings.ahead) for r in results),
        "good records blamed": sum(len(r.findings.blamed) for r in results),
        "of unknown origin": sum(len(r.findings.foreign) for r in results),
        "looks at offsets": sum(r.looks for r in results),
        "kills not reached": sum(r.missed for r in results),
        "starts": sum(r.starts for r in results),
        "ends by exit code": ", ".join(f"{name}: {count}" for name, count in sorted(ends.items())),
        "seeds": "-".join(dict.fromkeys([seeds[0], seeds[-1]])) if seeds else "none",
    }
    return "\n".join(["", *lines, "", *(f"{name:24}{value:>7}" for name, value in sums.items())])


if __name__ == "__main__":
    sys.exit(main())
