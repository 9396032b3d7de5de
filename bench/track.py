"""`python -m bench.track`: time of track per event, and its memory, with a thousand to a million open stories.

Each story is told by one report or by three, with the fields, words and addresses of a full event; dyads hold some
stories each, as the groups of training/checks/stories.jsonl do. At each size the next thousand events are timed one by
one, with what they change in the state. Memory is the growth of the process's resident set. A million stories take some
minutes and about 3 GiB.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime
from itertools import islice
from pathlib import Path

from bench import output
from bench.metering import percentile
from schemas.records import Origin, ResolvedEvent
from schemas.state import TrackState
from services.ids import derive
from services.runtime.codec import decode, encode
from services.stage import Input, Reject, StateChange
from services.track.transform import Tracker
from training.stories import read_reports

EXAMPLE = Path("schemas/examples/events.resolved.json")
SIZES = {1: (1_000, 10_000, 100_000, 1_000_000), 3: (1_000, 10_000, 100_000)}
"""Open stories, by how many reports tell each."""
QUICK_SIZES = {1: (1_000, 3_000), 3: (1_000, 3_000)}
TIMED = 1000
SAMPLE = 2000
READ_AT = datetime(2026, 1, 1, tzinfo=UTC)


def resident_bytes() -> int:
    """Resident set of this process."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


def events(stories: int, reports_each: int) -> Iterator[ResolvedEvent]:
    """Full events, some stories of a few reports in every dyad, until there are about so many stories."""
    template = ResolvedEvent.model_validate(json.loads(EXAMPLE.read_text(encoding="utf-8"))[0])
    told = read_reports()
    seen: dict[int, int] = {}
    picked = []
    for report in told:
        seen[report.group] = seen.get(report.group, 0) + 1
        if seen[report.group] <= reports_each:
            picked.append(report.event)
    for turn in range(-(-stories // len(seen))):
        for event in picked:
            name = derive(str(turn), event.event_id)
            # Whole sentences of the wire are about twice as long as the groups' own.
            sentence = f"{event.evidence.sentence} Case {name[:8]}, officials of {name[9:13]} and {name[14:18]} added."
            yield template.model_copy(
                update={
                    "event_id": name,
                    "article_id": derive("article", name),
                    "dyad": f"{event.dyad}|{turn}",
                    "type": event.type,
                    "claim": event.claim,
                    "actors": event.actors,
                    "recipients": event.recipients,
                    "when": event.when,
                    "where": event.where,
                    "source": f"Paper {hash(name) % 500}",
                    "url": f"https://paper{hash(name) % 500}.example/2025/world/{name}",
                    "fingerprint": derive("text", name)[:8] + derive("text", name)[-8:],
                    "published_at": date(2025, 5, 10),
                    "evidence": template.evidence.model_copy(
                        update={"quote": event.evidence.quote, "sentence": sentence}
                    ),
                }
            )


def take(tracker: Tracker, event: ResolvedEvent, number: int) -> tuple[float, list[StateChange]]:
    """Seconds that track took for one event, and what changed in its state."""
    given = Input(event, Origin(topic="t", partition=0, offset=number), READ_AT)
    began = time.perf_counter()
    [outcome] = tracker.track([given])
    changes = tracker.take_changes()
    seconds = time.perf_counter() - began
    if isinstance(outcome, Reject):
        raise ValueError(outcome.detail)
    return seconds, changes


def measure(sizes: Sequence[int], reports_each: int) -> list[dict[str, float]]:
    """A row for each number of open stories, in one run that goes on from one to the next."""
    tracker = Tracker()
    for number, event in enumerate(islice(events(200, 1), 200)):
        take(tracker, event, number)
    tracker.forget(0)
    tracker.take_changes()
    before, rows = resident_bytes(), []
    kept: dict[str, bytes] = {}
    # Twice as many: not every event opens a story.
    coming, done = enumerate(events(2 * sizes[-1] + TIMED, reports_each), 1), 0
    for size in sizes:
        while tracker.open_stories() < size:
            done, event = next(coming)
            changed = take(tracker, event, done)[1]
            if done <= SAMPLE:
                kept |= {c.key: encode(c.value) for c in changed if c.value is not None}
        found, grown, reports = tracker.open_stories(), resident_bytes() - before, done
        took = []
        for done, event in islice(coming, TIMED):
            took.append(take(tracker, event, done)[0])
        rows.append(
            {
                "stories": found,
                "reports_at_most": reports_each,
                "reports_each": round(reports / found, 2),
                "median_us_per_event": round(percentile(took, 50) * 1e6, 1),
                "mean_us_per_event": round(sum(took) / len(took) * 1e6, 1),
                "p99_us_per_event": round(percentile(took, 99) * 1e6, 1),
                "bytes_per_story": round(grown / found),
                "state_record_bytes": round(sum(map(len, kept.values())) / len(kept)),
                "restored_per_s": round(restore_pace(kept)),
            }
        )
        output.say(json.dumps(rows[-1]))
    return rows


def restore_pace(kept: dict[str, bytes]) -> float:
    """Records of track.state read and taken in a second, without the broker."""
    tracker, began = Tracker(), time.perf_counter()
    for key, value in kept.items():
        tracker.restore(0, key, decode(TrackState, value, len(value)))
    return len(kept) / (time.perf_counter() - began)


def main() -> None:
    """Measures and writes track.json; each number of reports in a process of its own, so that memory is not shared."""
    parser = output.parser(__doc__)
    parser.add_argument("--reports", type=int, choices=SIZES, help=argparse.SUPPRESS)
    args = parser.parse_args()
    sizes = QUICK_SIZES if args.quick else SIZES
    if args.reports:
        measure(sizes[args.reports], args.reports)
        return
    rows = []
    for reports_each in sizes:
        command = [sys.executable, "-m", "bench.track", "--reports", str(reports_each), *["--quick"] * args.quick]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as child:
            assert child.stdout is not None
            for line in child.stdout:
                output.say(line.rstrip())
                rows.append(json.loads(line))
        if child.returncode:
            raise subprocess.CalledProcessError(child.returncode, command)
    output.write("track", {"rows": rows}, args)


if __name__ == "__main__":
    main()
