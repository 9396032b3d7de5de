"""The generated schemas, their examples, and what changed since the main branch."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from schemas.generate import DIALECT, FOLDER, SUFFIX, stale, topic_schema, write
from schemas.records import CleanArticle, Evidence, ExtractedEvents, Versioned
from schemas.topics import topics
from services.runtime.codec import decode
from tests.contract.breaking import breaking_changes

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "schemas" / "examples"
BRANCH = "main"


def examples(topic: str) -> list[dict[str, Any]]:
    found = json.loads((EXAMPLES / f"{topic}.json").read_text(encoding="utf-8"))
    assert isinstance(found, list)
    return found


def test_generated_files_are_current() -> None:
    assert stale() == [], "run `make schemas`"


def test_stale_files_are_told_and_mended(tmp_path: Path) -> None:
    write(tmp_path)
    assert stale(tmp_path) == []
    (tmp_path / f"alerts{SUFFIX}").unlink()
    (tmp_path / f"articles.raw{SUFFIX}").write_text("{}")
    (tmp_path / f"gone{SUFFIX}").write_text("{}")
    assert stale(tmp_path) == [f"alerts{SUFFIX}", f"articles.raw{SUFFIX}", f"gone{SUFFIX}"]
    write(tmp_path)
    assert stale(tmp_path) == []


@pytest.mark.parametrize("topic", topics())
def test_schemas_are_schemas(topic: str) -> None:
    schema = topic_schema(topic)
    assert schema["$schema"] == DIALECT
    Draft202012Validator.check_schema(schema)


@pytest.mark.parametrize("topic", topics())
def test_examples_are_valid_and_whole(topic: str) -> None:
    schema = json.loads((FOLDER / f"{topic}{SUFFIX}").read_text(encoding="utf-8"))
    kinds = {model.__name__ for model in topics()[topic].kinds}
    found = examples(topic)
    assert found
    for example in found:
        Draft202012Validator(schema).validate(example)
        record = decode(topics()[topic].shape, json.dumps(example).encode(), 10**7)
        assert isinstance(record, Versioned), record
        kinds.discard(type(record).__name__)
        assert json.loads(record.model_dump_json()) == example, "an example shows every field"
    assert not kinds, "there is an example of each kind"


def test_every_example_belongs_to_a_topic() -> None:
    assert {p.stem for p in EXAMPLES.glob("*.json")} == set(topics())


def evidence(article: CleanArticle, found: Evidence, raw: dict[str, Any]) -> None:
    assert article.text[found.start : found.end] == found.quote
    assert found.sentence in article.text[found.sentence_start :]
    if found.raw_field is not None:
        assert raw[found.raw_field][found.raw_start : found.raw_end] == found.raw_quote


def test_the_examples_tell_one_story() -> None:
    """The offsets of an event's example are those of the article's example, clean and raw."""
    raw = {e["article_id"]: e for e in examples("articles.raw")}
    clean = {e["article_id"]: CleanArticle.model_validate(e) for e in examples("articles.clean")}
    for example in examples("events.extracted"):
        extracted = ExtractedEvents.model_validate(example)
        assert extracted.article == clean[extracted.article_id]
        assert any(sentence.events for sentence in extracted.sentences)
    for topic in ("events.resolved", "events.diplomatic", "alerts"):
        for example in examples(topic):
            if example.get("kind") == "article_end":
                assert example["event_ids"] == [event["event_id"] for event in examples(topic) if "event_id" in event]
                continue
            event = topics()[topic].record.model_validate(example)
            event = getattr(event, "event", event)
            article = clean[event.article_id]  # type: ignore[attr-defined]
            for found in (event.evidence, *event.other_mentions):  # type: ignore[attr-defined]
                evidence(article, found, raw[article.article_id])
            for side in (*event.actors, *event.recipients):  # type: ignore[attr-defined]
                assert side.start is None or article.text[side.start : side.end] == side.text


def git(*arguments: str) -> str | None:
    """Output of a git command in the project; None when it fails or git is not there."""
    try:
        done = subprocess.run(["git", "-C", str(ROOT), *arguments], capture_output=True, text=True, check=False)
    except FileNotFoundError:
        return None
    return done.stdout if done.returncode == 0 else None


def test_nothing_breaks_what_main_promises() -> None:
    folder = FOLDER.relative_to(ROOT).as_posix()
    listed = git("ls-tree", "--name-only", BRANCH, f"{folder}/")
    if listed is None:
        pytest.skip(f"there is no {BRANCH} branch to compare with")
    names = [Path(name).name for name in listed.split() if name.endswith(SUFFIX)]
    if not names:
        pytest.skip(f"{BRANCH} has no {folder}")
    found: list[str] = []
    for name in names:
        before = json.loads(git("show", f"{BRANCH}:{folder}/{name}") or "{}")
        topic = name.removesuffix(SUFFIX)
        if topic not in topics():
            found.append(f"{topic}: removed")
            continue
        found += [f"{topic}{change}" for change in breaking_changes(before, topic_schema(topic))]
    assert found == [], "a breaking change needs a new SCHEMA_VERSION"
