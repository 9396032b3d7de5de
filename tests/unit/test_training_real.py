from pathlib import Path

import pytest

from training.labels import LabelError, read_file
from training.real import locate, pack, unpack

ROW = "HANOI - The  premier\nof Laos praised Vietnam  on Monday. He then flew home."
LABELS = """@ row-1
C: [a:The premier] said:
S: [b:The premier of Laos] praised [c:Vietnam]  on Monday.
E: SUPPORT b>c positive | praised Vietnam  on Monday
A: - | on Monday | -
"""


def passage(tmp_path: Path, text: str = LABELS):
    path = tmp_path / "labels.txt"
    path.write_text(text, encoding="utf-8")
    [one] = read_file(path)
    return one


def test_labels_come_back_from_offsets_and_the_row(tmp_path: Path) -> None:
    packed = pack(passage(tmp_path), ROW)
    assert "praised" not in str(packed)
    back = unpack(packed, 1, ROW)
    assert back.text == "The premier said: The premier of Laos praised Vietnam on Monday."
    assert [back.text[m.start : m.end] for m in back.mentions] == ["The premier", "The premier of Laos", "Vietnam"]
    [event] = back.events
    assert (event.type, event.actors, event.recipients, event.tone) == ("SUPPORT", ("b",), ("c",), "positive")
    assert back.text[slice(*event.quote)] == "praised Vietnam on Monday"
    [link] = back.attributions
    assert link.source is None
    assert link.cue is not None
    assert back.text[slice(*link.cue)] == "on Monday"


def test_a_sentence_that_is_not_in_the_row_is_refused(tmp_path: Path) -> None:
    with pytest.raises(LabelError, match="not a sentence of row-1"):
        pack(passage(tmp_path), "Another text.")


def test_locate_gives_offsets_of_the_unsqueezed_text() -> None:
    start, end = locate("premier of Laos", ROW) or (0, 0)
    assert ROW[start:end] == "premier\nof Laos"
