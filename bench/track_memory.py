"""Memory and pace of track's state: `python -m bench.track_memory` measures open stories and extrapolates to a million.

Each story is told by one report or by three, with the fields, words and addresses of a full event; dyads hold some
stories each, as the groups of training/checks/stories.jsonl do. Memory is the growth of the process's resident set.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path

from schemas.records import Origin, ResolvedEvent
from schemas.state import TrackState
from services.ids import derive
from services.runtime.codec import decode, encode
from services.stage import Input, Reject
from services.track.transform import Tracker
from training.stories import read_reports

EXAMPLE = Path("schemas/examples/events.resolved.json")
RESULTS = Path(__file__).parent / "results"
MILLION = 1_000_000
SAMPLE = 2000
READ_AT = datetime(2026, 1, 1, tzinfo=UTC)


def resident_bytes() -> int:
    """Resident set of this process."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * 4096


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


def measure(stories: int, reports_each: int) -> dict[str, float]:
    """Open about that many stories; bytes for each, events a second, and bytes of its records on track.state."""
    tracker = Tracker()
    warm = list(events(200, 1))[:200]
    tracker.track([Input(e, Origin(topic="t", partition=9, offset=n), READ_AT) for n, e in enumerate(warm)])
    tracker.forget(9)
    tracker.take_changes()
    before, count, seconds = resident_bytes(), 0, 0.0
    kept: dict[str, bytes] = {}
    for count, event in enumerate(events(stories, reports_each), 1):
        began = time.perf_counter()
        [outcome] = tracker.track([Input(event, Origin(topic="t", partition=0, offset=count), READ_AT)])
        changed = tracker.take_changes()
        seconds += time.perf_counter() - began
        if isinstance(outcome, Reject):
            raise ValueError(outcome.detail)
        if count <= SAMPLE:
            kept |= {c.key: encode(c.value) for c in changed if c.value is not None}
    found = tracker.open_stories()
    each = (resident_bytes() - before) / found
    return {
        "stories": found,
        "reports_each": round(count / found, 2),
        "bytes_per_story": round(each),
        "events_per_s": round(count / seconds),
        "state_record_bytes": round(sum(map(len, kept.values())) / len(kept)),
        "restored_per_s": round(restore_pace(kept)),
    }


def restore_pace(kept: dict[str, bytes]) -> float:
    """Records of track.state read and taken in a second, without the broker."""
    tracker, began = Tracker(), time.perf_counter()
    for key, value in kept.items():
        tracker.restore(0, key, decode(TrackState, value, len(value)))
    return len(kept) / (time.perf_counter() - began)


def main() -> None:
    """Print a row for each size and write bench/results/track_memory.json; each in a process of its own."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--stories", type=int, nargs=2, default=[4_000, 16_000], metavar=("LESS", "MORE"))
    parser.add_argument("--one", type=int, nargs=2, metavar=("STORIES", "REPORTS"), help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.one:
        print(json.dumps(measure(*args.one)))
        return
    rows, millions = [], {}
    for reports_each in (1, 3):
        for stories in args.stories:
            command = [sys.executable, "-m", "bench.track_memory", "--one", str(stories), str(reports_each)]
            rows.append(json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout))
            print(rows[-1], flush=True)
        # What each further story takes, so that what the process takes in any case is not multiplied.
        less, more = rows[-len(args.stories)], rows[-1]
        grown = more["bytes_per_story"] * more["stories"] - less["bytes_per_story"] * less["stories"]
        each = grown / (more["stories"] - less["stories"])
        millions[more["reports_each"]] = round(each * MILLION / 2**30, 2)
    print(*(f"a million stories of {n} reports: {gib} GiB" for n, gib in millions.items()), sep="\n")
    RESULTS.mkdir(exist_ok=True)
    result = {"rows": rows, "gib_per_million_by_reports_each": millions}
    (RESULTS / "track_memory.json").write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main()
