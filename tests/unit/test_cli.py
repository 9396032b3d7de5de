"""The offline verbs, on texts written for these tests."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from schemas.records import (
    CleanArticle,
    DiplomaticEvent,
    ExtractedEvent,
    ExtractedEvents,
    Mention,
    ModelInfo,
    RawArticle,
    SentenceExtraction,
)
from services import cli
from services.classify.pairs import PairAnswer, PairQuestion
from services.cli_offline import ARTICLES, Format, Reader, classify_pairs, code_actors, extract
from services.cli_up import sample_articles
from services.ingest.jsonl import MOST_BYTES, read_lines
from services.normalize.fingerprint import near_copies
from services.normalize.html import looks_like_html
from services.normalize.transform import clean_article
from services.stage import Input, Outcome, Reject

FLAT_FIELDS = {
    "article_id", "quote", "type", "actor", "recipient", "actor_text", "recipient_text", "claim", "timing", "tone",
    "peace", "date", "granularity", "attribution",
}  # fmt: skip
STORY = {
    "article_id": "wire-1",
    "title": "Peru condemns Chile",
    "text": 'LIMA (AP) - Peru\ncondemned Chile on Tuesday for a ""reckless"\ndrill at the border.\n\nAll was calm.',
    "published_at": "2025-03-12",
    "source": "Test Wire",
}
MODEL = Path(__file__).parents[2] / "models" / "events-minilm"


def condemned(inputs: Sequence[Input[CleanArticle]]) -> list[Outcome[ExtractedEvents]]:
    """Stands for the model: "Peru condemned Chile … drill" of every article is an ACCUSE."""
    return [[found(item.value)] for item in inputs]


def found(article: CleanArticle) -> ExtractedEvents:
    rows = []
    for number, sentence in enumerate(article.sentences):
        words = article.text[sentence.start : sentence.end]
        if "condemned" in words:
            peru, chile = (sentence.start + words.index(name) for name in ("Peru", "Chile"))
            event = ExtractedEvent(
                type="ACCUSE", score=0.9, actors=[0], recipients=[1], quote_start=peru,
                quote_end=sentence.start + words.index(" at the border"), claim="asserted", timing="new",
                tone="negative", peace="none",
            )  # fmt: skip
            mentions = [Mention(start=peru, end=peru + 4, score=1), Mention(start=chile, end=chile + 5, score=1)]
            rows.append(SentenceExtraction(sentence=number, mentions=mentions, events=[event]))
    model = ModelInfo(name="test", version="1", sha256="0" * 64)
    return ExtractedEvents(article_id=article.article_id, article=article, sentences=rows, model=model)


def run(lines: Sequence[object], form: Format) -> tuple[int, list[dict[str, Any]], str]:
    stream = io.BytesIO(
        b"".join(line if isinstance(line, bytes) else json.dumps(line).encode() for line in joined(lines))
    )
    out, err = io.StringIO(), io.StringIO()
    code = extract(Reader(stream, err), out, form, condemned)
    return code, [json.loads(line) for line in out.getvalue().splitlines()], err.getvalue()


def joined(lines: Sequence[object]) -> Iterator[object]:
    for line in lines:
        yield line
        yield b"\n"


def test_flat_rows_have_the_scorers_fields_and_raw_quotes() -> None:
    code, rows, err = run([STORY], "flat")
    assert (code, err) == (0, "")
    [row] = rows
    assert row.keys() == FLAT_FIELDS
    assert row["article_id"] == "wire-1"
    assert row["quote"] == 'Peru\ncondemned Chile on Tuesday for a ""reckless"\ndrill'
    assert row["quote"] in STORY["text"]
    assert (row["actor"], row["recipient"]) == (["PER"], ["CHL"])
    assert (row["date"], row["granularity"]) == ("2025-03-11", "day")
    assert row["attribution"] == []


def test_full_rows_are_diplomatic_events_and_the_same_every_time() -> None:
    _, rows, _ = run([STORY], "full")
    event = DiplomaticEvent.model_validate(rows[0])
    evidence = event.evidence
    assert evidence.quote == 'Peru condemned Chile on Tuesday for a "reckless" drill'
    assert evidence.raw_start is not None
    assert STORY["text"][evidence.raw_start : evidence.raw_end] == evidence.raw_quote
    assert event.processed_at is None
    assert event.title == "Peru condemns Chile"
    assert run([STORY], "full")[1] == rows


def test_bad_lines_are_told_with_their_numbers_and_the_rest_go_on() -> None:
    german = {"text": "Der Minister reiste am Freitag nach Genf und sprach dort mit dem Gesandten."}
    lines: list[object] = [
        b"{", STORY, b"", german, {"title": "no text"}, b'"a"', b'{"text": "\xff"}', {"text": " "},
        {**STORY, "article_id": "wire-2", "title": None, "published_at": None},
    ]  # fmt: skip
    code, rows, err = run(lines, "flat")
    assert code == 1
    assert [row["article_id"] for row in rows] == ["wire-1", "wire-2"]
    told = err.splitlines()
    assert sorted(line.split(":")[0] for line in told) == [f"line {n}" for n in (1, 4, 5, 6, 7, 8)]
    reasons = {line.split(": ")[0]: line for line in told}
    for number, word in (
        (1, "JSON"),
        (4, "unsupported_language"),
        (5, "text"),
        (6, "object"),
        (7, "UTF-8"),
        (8, "no_text"),
    ):
        assert word in reasons[f"line {number}"]


def test_events_come_while_articles_are_still_read() -> None:
    """Input larger than memory: a window is printed before the next one is read."""
    out = io.StringIO()

    class Stream(io.RawIOBase):
        given = 0

        def readable(self) -> bool:
            return True

        def readline(self, _size: int | None = -1, /) -> bytes:
            if self.given >= 2 * ARTICLES:
                return b""
            if self.given == ARTICLES:
                assert out.getvalue().count("\n") == ARTICLES
            self.given += 1
            return json.dumps({**STORY, "article_id": f"wire-{self.given}"}).encode() + b"\n"

    assert extract(Reader(Stream(), io.StringIO()), out, "flat", condemned) == 0  # type: ignore[arg-type]
    assert out.getvalue().count("\n") == 2 * ARTICLES


def test_a_line_longer_than_the_limit_is_skipped() -> None:
    stream = io.BytesIO(b'{"text": "' + b"x" * MOST_BYTES + b'"}\n' + json.dumps(STORY).encode())
    lines = list(read_lines(stream, RawArticle))
    assert [(line.number, line.record is None) for line in lines] == [(1, True), (2, False)]


def test_deep_nesting_and_byte_order_mark() -> None:
    deep = b'{"text": ' + b"[" * 200_000 + b"]" * 200_000 + b"}\n"
    stream = io.BytesIO(b"\xef\xbb\xbf" + json.dumps(STORY).encode() + b"\n" + deep)
    first, second = read_lines(stream, RawArticle)
    assert first.record is not None
    assert second.record is None


def test_classify_prints_the_contracts_fields() -> None:
    def answer(questions: Sequence[PairQuestion]) -> list[PairAnswer]:
        return [
            PairAnswer(
                id=q.id, type="AID", scores={"AID": 1.0}, event_score=0.5, tone="positive",
                tone_scores={"positive": 1.0}, peace="none", claim="asserted",
            )
            for q in questions
        ]  # fmt: skip

    stream = io.BytesIO(b'{"id": 7, "text": "Chad fed Mali.", "source": "Chad", "target": "Mali"}\n{"id": 8}\n')
    out, err = io.StringIO(), io.StringIO()
    assert classify_pairs(Reader(stream, err), out, answer) == 1
    assert json.loads(out.getvalue()).keys() == {"id", "type", "scores", "tone", "tone_scores", "peace", "claim"}
    assert err.getvalue().startswith("line 2: text")


def test_actors() -> None:
    lines = [
        {"id": "a", "text": "Norwegian foreign minister", "date": None},
        {"id": 2, "text": "a man", "date": "2020-05-01"},
        {"id": 3, "text": "Chad", "date": "some day"},
    ]
    stream = io.BytesIO("\n".join(map(json.dumps, lines)).encode())
    out, err = io.StringIO(), io.StringIO()
    assert code_actors(Reader(stream, err), out) == 1
    rows = [json.loads(line) for line in out.getvalue().splitlines()]
    assert [row["id"] for row in rows] == ["a", 2]
    assert all(row.keys() == {"id", "country", "sector", "name", "office"} for row in rows)
    assert (rows[0]["country"], rows[1]["country"]) == ("NOR", None)
    assert err.getvalue().startswith("line 3: date")


def test_a_missing_file_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["actors", "/nowhere/names.jsonl"]) == 1
    assert capsys.readouterr().err.count("\n") == 1


def test_a_missing_model_is_a_broken_setting(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "a.jsonl").write_text(json.dumps(STORY))
    assert cli.main(["extract", str(tmp_path / "a.jsonl"), "--model", str(tmp_path / "none")]) == 2
    assert "DEMARCHE_MODEL" in capsys.readouterr().err


@pytest.mark.parametrize(
    "call", [[], ["extract"], ["extract", "a", "--format", "xml"], ["classify", "a", "--threads", "0"]]
)
def test_wrong_calls(call: list[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        cli.main(call)
    assert ended.value.code == 2


def test_extract_with_the_shipped_model(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    if not MODEL.is_dir():
        pytest.skip("models/ is not there")
    stories = {a.article_id: a for a in sample_articles()[:3]}
    (tmp_path / "a.jsonl").write_text("\n".join(a.model_dump_json() for a in stories.values()))
    assert cli.main(["extract", str(tmp_path / "a.jsonl"), "--format", "flat"]) == 0
    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert {row["article_id"] for row in rows} == set(stories)
    for row in rows:
        story = stories[row["article_id"]]
        assert row["quote"] in story.title or row["quote"] in story.text


def test_the_sample_stories_are_what_the_readme_promises() -> None:
    stories = sample_articles()
    assert len({s.article_id for s in stories}) == len(stories) >= 17
    assert len({s.source for s in stories}) >= 8
    assert sum(looks_like_html(s.text) for s in stories) == 1
    clean = [clean_article(s, datetime(2026, 12, 1, tzinfo=UTC)) for s in stories]
    assert not [c for c in clean if isinstance(c, Reject)]
    articles = [c for c in clean if isinstance(c, CleanArticle)]
    assert [len(group) for group in near_copies([(c.article_id, c.fingerprint) for c in articles])] == [2]
    assert all(c.published_at is not None and 2024 <= c.published_at.year <= 2026 for c in articles)
    text = " ".join(c.text for c in articles)
    for furniture in (
        "ADVERTISEMENT",
        "All rights reserved",
        "Related article",
        "Reporting by",
        "Follow us",
        "Read more",
    ):
        assert furniture not in text
