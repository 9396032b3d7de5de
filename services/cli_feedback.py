"""The verb that turns analysts' corrections into data: feedback export."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator
from typing import TextIO

from schemas.records import Feedback
from services.cli_archive import written
from services.feedback import evaluation
from services.feedback.labelfile import label_file
from services.feedback.passages import Passage, passages
from services.runtime.codec import decode
from services.runtime.settings import ConnectionSettings
from services.runtime.streams import tail
from services.stage import Reject

EXIT_BAD_RECORD = 1
TOPIC = "feedback"


def run(args: argparse.Namespace, settings: ConnectionSettings) -> int:
    """Reads the topic from its beginning to its end and writes what was asked for; 1 when a record cannot be read."""
    bad: list[str] = []
    given = [*_corrections(settings, bad)]
    found = passages(given)
    with written(args.out) as out:
        told = write(args.format, found, out)
    for line in bad:
        sys.stderr.write(f"{line}\n")
    corrections = len({one.feedback_id for one in given})
    sys.stderr.write(f"{corrections} corrections of {len({one.event_id for one in given})} events: {told}\n")
    return EXIT_BAD_RECORD if bad else 0


def write(form: str, found: list[Passage], out: TextIO) -> str:
    """Writes the passages as jsonl, gold or training; what was written, in words."""
    if form == "training":
        text, count, left = label_file(found)
        out.write(text)
        why = "; ".join(f"left out {number}: {reason}" for reason, number in sorted(left.items()))
        return f"passages {count}" + (f", {why}" if why else "")
    lines = evaluation.articles(found) if form == "gold" else evaluation.rows(found)
    for line in lines:
        out.write(json.dumps(line, ensure_ascii=False) + "\n")
    return f"{'articles' if form == 'gold' else 'rows'} {len(lines)}"


def _corrections(settings: ConnectionSettings, bad: list[str]) -> Iterator[Feedback]:
    for record in tail(settings, TOPIC):
        read = decode(Feedback, record.value, settings.max_produce_bytes)
        if isinstance(read, Reject):
            bad.append(f"{TOPIC} {record.origin.partition}:{record.origin.offset}: {read.reason}: {read.detail}")
        else:
            yield read
