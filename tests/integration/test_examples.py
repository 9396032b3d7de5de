"""The consumer examples of the documentation, in Python and JavaScript, against a broker."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys

import pytest

from services.runtime.settings import ConnectionSettings
from tests.contract.test_schemas import examples
from tests.integration.helpers import ROOT, produce
from tests.node.install import FOLDER, require_node

EXAMPLES = ROOT / "docs" / "examples"
TOPIC = "events.diplomatic"
SECONDS = 60


def command(language: str) -> list[str]:
    if language == "python":
        return [sys.executable, str(EXAMPLES / "consumer.py")]
    # node looks for packages beside the script.
    copy = require_node() / "node_modules" / ".consumer.mjs"
    shutil.copy(EXAMPLES / "consumer.mjs", copy)
    return ["node", str(copy)]


def read(language: str, connection: ConnectionSettings, most: int) -> subprocess.CompletedProcess[str]:
    topic, group = connection.topic_prefix + TOPIC, connection.group_prefix + language
    given = [connection.bootstrap, "--topic", topic, "--group", group, "--most", str(most)]
    called = [*command(language), *given]
    return subprocess.run(called, cwd=FOLDER, capture_output=True, text=True, timeout=SECONDS, check=False)


@pytest.mark.parametrize("language", ["python", "javascript"])
def test_an_example_reads_each_event_once_and_goes_on_where_it_was(
    language: str, connection: ConnectionSettings
) -> None:
    event = examples(TOPIC)[0]
    codes = [",".join(side["code"] for side in event[field]) or "-" for field in ("actors", "recipients")]
    line = f"{event['type']} {codes[0]} -> {codes[1]} {event['claim']}"
    same = [json.dumps(event).encode()] * 2
    produce(connection, TOPIC, [*same, json.dumps({**event, "event_id": "another", "added_later": 1}).encode()])
    first = read(language, connection, most=3)
    assert (first.returncode, first.stdout.splitlines()) == (0, [line, line]), first.stderr

    produce(connection, TOPIC, [json.dumps({**event, "event_id": "third", "claim": "denied"}).encode()])
    second = read(language, connection, most=1)
    assert second.stdout.splitlines() == [line.replace(event["claim"], "denied")], second.stderr


@pytest.mark.parametrize("language", ["python", "javascript"])
def test_an_example_stops_at_a_version_that_it_does_not_know(language: str, connection: ConnectionSettings) -> None:
    produce(connection, TOPIC, [json.dumps({**examples(TOPIC)[0], "schema_version": 2}).encode()])
    done = read(language, connection, most=1)
    assert done.returncode == 1
    assert "version 2 is newer than this reader" in done.stderr
    assert done.stdout == ""
