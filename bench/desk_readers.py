"""`python -m bench.desk_readers`: many readers of the desk's event stream at once, and whether any loses a story.

The desk and its writer run in this process, the readers in another. Each reader counts the stories that it gets and how
old they are: from the commit to the database until the line is read.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import subprocess
import sys
import tempfile
import time
from datetime import datetime
from pathlib import Path

from bench import output
from tests.desk_server import running
from tests.unit.test_desk import diplomatic

LEAST_SECONDS = 60.0


async def read(port: int, stories: int) -> tuple[int, list[float]]:
    """One reader: how many different stories it got, in order, and their ages in seconds."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=2**20)
    writer.write(b"GET /api/stream HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
    sys.stdout.write(".")
    sys.stdout.flush()
    seen: list[str] = []
    ages: list[float] = []
    while len(seen) < stories:
        line = await reader.readline()
        if not line:
            break
        if line.startswith(b"data: {") and b'"story_id"' in line:
            item = json.loads(line[6:])
            seen.append(item["story_id"])
            ages.append(time.time() - datetime.fromisoformat(item["last_seen"]).timestamp())
    writer.close()
    return len({s for s, n in zip(seen, range(stories), strict=False) if s == f"s{n}"}), ages


async def readers(port: int, count: int, stories: int) -> None:
    """All readers; prints what they got as JSON."""
    async with asyncio.timeout(LEAST_SECONDS + stories / 10):
        got = await asyncio.gather(*(read(port, stories) for _ in range(count)))
    ages = sorted(age for _, each in got for age in each)
    lost = sum(stories - whole for whole, _ in got)
    told = {"lost": lost, "p50_seconds": ages[len(ages) // 2], "p99_seconds": ages[len(ages) * 99 // 100]}
    sys.stdout.write("\n" + json.dumps(told) + "\n")


def main() -> None:
    """The command."""
    parser = output.parser(__doc__)
    parser.add_argument("--readers", type=int, default=200)
    parser.add_argument("--rate", type=int, default=50, help="stories a second")
    parser.add_argument("--seconds", type=int, default=10)
    parser.add_argument("--port", type=int, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.quick:
        args.readers, args.seconds = 20, 2
    stories = args.rate * args.seconds
    if args.port is not None:
        asyncio.run(readers(args.port, args.readers, stories))
        return
    with tempfile.TemporaryDirectory() as scratch, running(Path(scratch), desk_burst=10_000) as desk:
        command = [sys.executable, "-m", "bench.desk_readers", "--port", str(desk.port), "--readers", str(args.readers)]
        command += ["--rate", str(args.rate), "--seconds", str(args.seconds)]
        child = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        while desk.bulletin.readers < args.readers:
            time.sleep(0.1)
        began = time.monotonic()
        for n in range(stories):
            time.sleep(max(0.0, began + n / args.rate - time.monotonic()))
            desk.feed(diplomatic(story_id=f"s{n}", event_id=f"e{n}"))
        took = time.monotonic() - began
        out, _ = child.communicate()
    told = json.loads(out.strip().splitlines()[-1])
    told |= {"readers": args.readers, "stories": stories, "stories_per_second": round(stories / took, 1)}
    output.say(json.dumps(told))
    output.write("desk_readers", told, args)


if __name__ == "__main__":
    main()
