"""The long run: `python -m tests.hostile --inputs 100000 --seed 1`, with progress and a table at the end.

Inputs are drawn in rounds, each with a seed of its own made from SEED and its number, so that a round with a crash is
run again by `--seed SEED --first ROUND --inputs 1`. Exit code 1 when anything crashed or hung.
"""

from __future__ import annotations

import argparse
import gc
import sys
import time
import traceback
import warnings
from collections import Counter
from pathlib import Path
from resource import getpagesize

from hypothesis import HealthCheck, Phase, given, seed, settings

from tests.hostile.articles import records
from tests.hostile.line import Classify, Line, TooSlowError, Walk, invented

ROUND = 100
SHOWN = 10
TICK_SECONDS = 5.0
MIB = 1 << 20


class Tally:
    """Counts of a run, and its slowest records."""

    def __init__(self, keep: Path | None) -> None:
        self.inputs = self.events = 0
        self.ended: Counter[str] = Counter()
        self.crashes: Counter[str] = Counter()
        self.slowest: dict[str, float] = {}
        self._keep = keep

    def take(self, line: Line, value: bytes, place: str) -> None:
        """One record; what it breaks is counted, and its bytes are kept where a folder is given."""
        self.inputs += 1
        try:
            walk: Walk = line.walk(value)
        except TooSlowError as error:
            self._broke(f"hang: {error}", value, place)
        except Exception as error:
            at = traceback.extract_tb(error.__traceback__)[-1]
            self._broke(
                f"{type(error).__name__} in {Path(at.filename).name}:{at.lineno}: {str(error)[:80]}", value, place
            )
        else:
            self.ended[walk.ended] += 1
            self.events += walk.events
            for stage, seconds in walk.seconds.items():
                self.slowest[stage] = max(self.slowest.get(stage, 0.0), seconds)

    def _broke(self, what: str, value: bytes, place: str) -> None:
        self.crashes[what] += 1
        if self.crashes[what] == 1:
            sys.stderr.write(f"{place}: {what}\n")
            if self._keep is not None:
                self._keep.mkdir(parents=True, exist_ok=True)
                (self._keep / f"{place.replace(' ', '-')}.json").write_bytes(value)


def resident() -> int:
    """Bytes of memory in use by this process."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * getpagesize()


def run_round(line: Line, tally: Tally, base: int, number: int, count: int) -> None:
    """`count` records drawn with the round's own seed."""

    @seed(base * 1_000_003 + number)
    @settings(
        max_examples=count, database=None, deadline=None, phases=[Phase.generate], suppress_health_check=[*HealthCheck]
    )
    @given(records())
    def one(value: bytes) -> None:
        tally.take(line, value, f"round {number}")

    one()


def main() -> int:
    """The command; its exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.hostile", description=__doc__)
    parser.add_argument("--inputs", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--first", type=int, default=0, metavar="ROUND", help="begin with this round")
    parser.add_argument("--seconds", type=float, default=float("inf"), help="end after the round that passes this time")
    parser.add_argument("--model", action="store_true", help="the shipped model instead of invented findings")
    parser.add_argument("--keep", type=Path, metavar="FOLDER", help="bytes of the first record of each crash")
    args = parser.parse_args()
    warnings.simplefilter("ignore")
    line, tally = Line(_classify(args.model)), Tally(args.keep)
    began = told = time.monotonic()
    number, floor, peak = args.first, 0, 0
    while tally.inputs < args.inputs and time.monotonic() - began < args.seconds:
        run_round(line, tally, args.seed, number, min(ROUND, args.inputs - tally.inputs))
        number += 1
        line.forget()
        gc.collect()
        used = resident()
        # The first rounds load tables and fill caches and arenas; growth is what comes on top of that.
        floor = used if number - args.first <= 2 else floor
        peak = max(peak, used)
        if time.monotonic() - told > TICK_SECONDS:
            told = time.monotonic()
            rate = tally.inputs / (told - began)
            left = (args.inputs - tally.inputs) / rate
            crashes = sum(tally.crashes.values())
            counts = f"{tally.inputs:,} inputs, {crashes} crashes, {rate:.0f}/s"
            sys.stderr.write(f"{counts}, {used / MIB:.0f} MiB, {left:.0f} s left\n")
    report(tally, time.monotonic() - began, floor, peak, args.seed)
    return 1 if tally.crashes else 0


def _classify(model: bool) -> Classify:
    if not model:
        return invented
    from services.classify.model import load_model
    from services.classify.settings import ClassifySettings
    from services.classify.transform import Classifier

    chosen = ClassifySettings()
    return Classifier(load_model(chosen.model, chosen.backend, chosen.threads), chosen.batch_tokens).classify


def report(tally: Tally, seconds: float, floor: int, peak: int, base: int) -> None:
    """The table."""
    hangs = sum(n for what, n in tally.crashes.items() if what.startswith("hang"))
    rows = [
        ("seed", str(base)),
        ("inputs", f"{tally.inputs:,} in {seconds:.0f} s"),
        ("crashes", str(sum(tally.crashes.values()) - hangs)),
        ("hangs over 2 s", str(hangs)),
        ("events", f"{tally.events:,}"),
        ("slowest record, s", ", ".join(f"{stage} {s:.2f}" for stage, s in tally.slowest.items())),
        ("memory, MiB", f"{floor / MIB:.0f} after two rounds, {(peak - floor) / MIB:+.0f} at its peak"),
        ("ended as", ", ".join(f"{reason} {n:,}" for reason, n in tally.ended.most_common())),
    ]
    rows += [("broke", f"{n} × {what}") for what, n in tally.crashes.most_common(SHOWN)]
    sys.stdout.write("".join(f"{name:<18} {value}\n" for name, value in rows))


if __name__ == "__main__":
    sys.exit(main())
