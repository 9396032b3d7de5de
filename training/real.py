"""Hand labels on real sentences of the training sources: kept as row ids and offsets, joined to the texts at training.

`python -m training.real WORK.txt... --data ../shared/train --out training/data/real/NAME.jsonl` packs label files whose
groups are row ids and whose S lines are sentences of those rows (format: training/README.md).
"""

from __future__ import annotations

import argparse
import json
import random
import sys
from collections.abc import Iterator
from dataclasses import astuple
from pathlib import Path
from typing import Any

from services.normalize.sentences import split
from training.examples import unbracket
from training.labels import LabelError, LabelledAttribution, LabelledEvent, Mention, Passage, read_file

SOURCES = ("directed_sentiment_train", "newsmtsc_train", "unscon_train", "ngec_synthetic_silver", "re3d_entities")


def row_texts(data: Path) -> dict[str, str]:
    """Row id to its plain text (title last, as some sentences are titles), of every source file in the folder."""
    out: dict[str, str] = {}
    for name in SOURCES:
        path = data / f"{name}.jsonl"
        if not path.is_file():
            continue
        with path.open(encoding="utf-8") as lines:
            for line in lines:
                row = json.loads(line)
                text = unbracket(row["text"])[0] if name == "directed_sentiment_train" else row["text"]
                out[row["id"]] = text + "\n" + (row.get("title") or "")
    return out


def sentences_of(texts: dict[str, str], rng: random.Random, count: int) -> list[str]:
    """Up to `count` sentences of 40 to 400 characters, drawn from rows without order; bracketed ones are left out."""
    out: list[str] = []
    for row in rng.sample(sorted(texts), len(texts)):
        for start, end in split(texts[row]):
            sentence = squeeze(texts[row][start:end])
            if 40 <= len(sentence) <= 400 and not set("[]{}") & set(sentence):
                out.append(sentence)
        if len(out) >= count:
            break
    return out[:count]


def squeeze(text: str) -> str:
    """The text with every run of white space as one space."""
    return " ".join(text.split())


def locate(sentence: str, text: str) -> tuple[int, int] | None:
    """Where the squeezed sentence stands in the text, as offsets of the unsqueezed text; None when nowhere."""
    kept: list[int] = []
    plain: list[str] = []
    for i, char in enumerate(text):
        if not char.isspace():
            kept.append(i)
            plain.append(char)
        elif plain and plain[-1] != " ":
            kept.append(i)
            plain.append(" ")
    at = "".join(plain).find(sentence)
    return (kept[at], kept[at + len(sentence) - 1] + 1) if at >= 0 else None


def _squeezed(passage: Passage) -> Passage:
    """The passage over its text with single spaces; offsets move along."""
    moved = []
    size, space = 0, True
    for char in passage.text:
        moved.append(size)
        if not char.isspace() or not space:
            size += 1
        space = char.isspace()
    moved.append(size)

    def at(span: tuple[int, int] | None) -> tuple[int, int] | None:
        return (moved[span[0]], moved[span[1] - 1] + 1) if span else None

    text = squeeze(passage.text)
    return Passage(
        passage.id,
        passage.group,
        text,
        moved[passage.sentence_start],
        [Mention(m.key, *(at((m.start, m.end)) or (0, 0))) for m in passage.mentions],
        [LabelledEvent(*astuple(e)[:-1], at(e.quote) or (0, 0)) for e in passage.events],
        [LabelledAttribution(at(a.source), at(a.cue), at(a.content)) for a in passage.attributions],
    )


def pack(passage: Passage, text: str) -> dict[str, Any]:
    """One passage as ids and offsets; LabelError when its sentence does not stand in the row's text."""
    passage = _squeezed(passage)
    cut = passage.sentence_start
    place = locate(passage.text[cut:], text)
    if place is None:
        raise LabelError(f"{passage.id}: not a sentence of {passage.group}: {passage.text[cut : cut + 60]!r}")
    return {
        "row": passage.group,
        "at": place,
        "speaker": passage.text[:cut],
        "mentions": [astuple(m) for m in passage.mentions],
        "events": [astuple(e) for e in passage.events],
        "attributions": [astuple(a) for a in passage.attributions],
    }


def unpack(row: dict[str, Any], number: int, text: str) -> Passage:
    """The passage that `pack` packed, its words taken from the row's text."""

    def span(pair: list[int] | None) -> tuple[int, int] | None:
        return (pair[0], pair[1]) if pair else None

    return Passage(
        f"{row['row']}-{number}",
        row["row"],
        row["speaker"] + squeeze(text[row["at"][0] : row["at"][1]]),
        len(row["speaker"]),
        [Mention(*m) for m in row["mentions"]],
        [LabelledEvent(e[0], tuple(e[1]), tuple(e[2]), *e[3:7], span(e[7]) or (0, 0)) for e in row["events"]],
        [LabelledAttribution(*map(span, a)) for a in row["attributions"]],
    )


def read_real(folder: Path, data: Path) -> Iterator[Passage]:
    """Every packed passage whose row is in the data folder; rows of sources that are not there are left out."""
    texts = row_texts(data)
    for path in sorted(folder.glob("*.jsonl")):
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            row = json.loads(line)
            if row["row"] in texts:
                yield unpack(row, number, texts[row["row"]])


def main() -> int:
    """Pack label files; faults go to standard error and are left out; exit 1 if there was any."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", type=Path, nargs="+")
    parser.add_argument("--data", type=Path, default=Path("../shared/train"))
    parser.add_argument("--out", type=Path, required=True)
    args = parser.parse_args()
    texts = row_texts(args.data)
    bad, packed = 0, []
    for path in args.files:
        for passage in read_file(path):
            try:
                packed.append(pack(passage, texts[passage.group]))
            except (LabelError, KeyError) as error:
                bad += 1
                print(error, file=sys.stderr)
    args.out.parent.mkdir(parents=True, exist_ok=True)
    args.out.write_text("".join(json.dumps(row) + "\n" for row in packed), encoding="utf-8")
    print(f"{len(packed)} packed, {bad} left out")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
