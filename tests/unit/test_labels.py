from pathlib import Path

import pytest

from training.examples import from_passage
from training.labels import LabelError, read_file, read_folder

GOOD = """@ strait
C: [a:The Foreign Ministry] said:
S: [b:We] expelled two attaches of [c:Norland] and warned [d:its government].
E: SANCTION b>c negative | expelled two attaches of Norland
E: THREATEN b>d negative | warned its government
A: We | warned | its government
"""


def write(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "x_01.txt"
    path.write_text(text)
    return path


def test_offsets_point_at_the_marked_words(tmp_path: Path) -> None:
    [passage] = read_file(write(tmp_path, GOOD))
    words = {m.key: passage.text[m.start : m.end] for m in passage.mentions}
    assert words == {"a": "The Foreign Ministry", "b": "We", "c": "Norland", "d": "its government"}
    assert [passage.text[slice(*e.quote)] for e in passage.events] == [
        "expelled two attaches of Norland",
        "warned its government",
    ]
    assert passage.text[passage.sentence_start :].startswith("We expelled")


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("SANCTION b>c", "SANCTIONS b>c"),
        ("SANCTION b>c", "SANCTION b>z"),
        ("| expelled two", "| expelled three"),
        ("negative | warned", "nasty | warned"),
        ("[d:its government]", "[c:its government]"),
        ("A: We | warned | its government", "A: We | warned"),
    ],
)
def test_a_broken_line_is_named(tmp_path: Path, old: str, new: str) -> None:
    with pytest.raises(LabelError, match=r"x_01.txt:\d+"):
        list(read_file(write(tmp_path, GOOD.replace(old, new))))


def test_every_pair_of_sides_becomes_an_example(tmp_path: Path) -> None:
    [passage] = read_file(write(tmp_path, GOOD))
    example = from_passage(passage)
    assert len(example.pairs) == 4 * 3 + 4 + 4 + 1  # ordered pairs, unknown actor, no recipient, neither
    assert sum(bool(p.events) for p in example.pairs) == 2
    assert example.context == "The Foreign Ministry said:"


def test_the_shipped_label_files_keep_the_format_and_cover_every_label() -> None:
    passages = read_folder(Path(__file__).parents[2] / "training" / "data")
    assert len(passages) >= 1500
    events = [e for p in passages for e in p.events]
    assert len({e.type for e in events}) == 17
    assert len({e.claim for e in events}) == 5
    assert {"support", "oppose"} <= {e.peace for e in events}
    assert any(not p.events for p in passages)
