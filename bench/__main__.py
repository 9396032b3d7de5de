"""`make bench`: all benchmarks in turn, each a process of its own, then a table and a plot of what they wrote.

`python -m bench NAME…` runs only these; the table and the plot are always of all figures that are there.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time

from bench import chart, output, table

MODULES = ("stage", "peers", "line", "scale", "track", "footprint", "desk_readers")


def main() -> int:
    """Its exit code: 1 when a benchmark ended with an error; the others run all the same."""
    parser = output.parser(__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(MODULES))
    args = parser.parse_args()
    if unknown := set(args.names) - set(MODULES):
        parser.error(f"no benchmark {', '.join(sorted(unknown))}; there are {', '.join(MODULES)}")
    names, failed = args.names or MODULES, []
    for number, name in enumerate(names, 1):
        output.say(f"[{number}/{len(names)}] {name}")
        began = time.monotonic()
        if subprocess.run([sys.executable, "-m", f"bench.{name}", *["--quick"] * args.quick], check=False).returncode:
            failed.append(name)
        output.say(f"[{number}/{len(names)}] {name} took {time.monotonic() - began:.0f} s")
    folder = output.folder(args.quick)
    files = {name: folder / f"{name}.json" for name in MODULES}
    found = {name: json.loads(file.read_text()) for name, file in files.items() if file.exists()}
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "figures.md").write_text(table.markdown(found))
    (folder / "figures.svg").write_text(chart.draw("demarche: figures of make bench", table.panels(found)))
    output.say(f"written to {folder / 'figures.md'} and figures.svg")
    if failed:
        sys.stderr.write(f"failed: {', '.join(failed)}\n")
    return int(bool(failed))


if __name__ == "__main__":
    sys.exit(main())
