"""Writes the JSON Schema of every topic and the AsyncAPI document to schemas/v1: `python -m schemas.generate`.

With `--check` nothing is written; stale, missing or left-over files are named and the exit code is 1.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

import yaml
from pydantic import TypeAdapter

from schemas import asyncapi
from schemas.records import SCHEMA_VERSION
from schemas.topics import topics

FOLDER = Path(__file__).parent / f"v{SCHEMA_VERSION}"
SUFFIX = ".schema.json"
ASYNCAPI = "asyncapi.yaml"
DIALECT = "https://json-schema.org/draft/2020-12/schema"


def topic_schema(name: str) -> dict[str, Any]:
    """JSON Schema (draft 2020-12) of the records on a topic, as they stand on the wire."""
    topic = topics()[name]
    schema = TypeAdapter(topic.shape).json_schema(mode="serialization")
    return {"$schema": DIALECT, "$id": f"demarche:{name}:v{topic.version}", **schema}


def files() -> dict[str, str]:
    """File name to content: the schema of every topic of topics.yaml, and the AsyncAPI document."""
    wanted = {
        f"{name}{SUFFIX}": json.dumps(topic_schema(name), indent=2, ensure_ascii=False) + "\n" for name in topics()
    }
    wanted[ASYNCAPI] = yaml.safe_dump(asyncapi.document(), sort_keys=False, allow_unicode=True, width=120)
    return wanted


def _found(folder: Path) -> list[Path]:
    return [*folder.glob(f"*{SUFFIX}"), *folder.glob(ASYNCAPI)]


def stale(folder: Path = FOLDER) -> list[str]:
    """Names of files in the folder that differ from what the models say, are missing, or belong to no topic."""
    wanted = files()
    found = {path.name: path.read_text(encoding="utf-8") for path in _found(folder)}
    return sorted(name for name in wanted.keys() | found.keys() if wanted.get(name) != found.get(name))


def write(folder: Path = FOLDER) -> None:
    """Bring the folder in line with the models."""
    folder.mkdir(exist_ok=True)
    wanted = files()
    for path in _found(folder):
        if path.name not in wanted:
            path.unlink()
    for name, text in wanted.items():
        (folder / name).write_text(text, encoding="utf-8")


def main() -> int:
    """The command; returns its exit code."""
    parser = argparse.ArgumentParser(prog="python -m schemas.generate", description="Write schemas/v1 from the models.")
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 when a file is not current")
    if not parser.parse_args().check:
        write()
        return 0
    names = stale()
    for name in names:
        sys.stderr.write(f"not current: {FOLDER.name}/{name}\n")
    return 1 if names else 0


if __name__ == "__main__":
    sys.exit(main())
