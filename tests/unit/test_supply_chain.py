"""What is installed, loaded and run: pinned packages, the audit of them, weights by hash, nothing that runs data."""

from __future__ import annotations

import ast
import re
import subprocess
import tomllib
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
PIN = re.compile(r"([A-Za-z0-9._-]+)==([A-Za-z0-9.]+)")
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
EXTRAS = PROJECT["optional-dependencies"]


def pins() -> dict[str, str]:
    """Name and version of each line of constraints.txt; a line of another form is an error."""
    lines = [line for line in (ROOT / "constraints.txt").read_text().splitlines() if not line.startswith("#")]
    found = [PIN.fullmatch(line) for line in lines]
    assert all(found), [line for line, match in zip(lines, found, strict=True) if match is None]
    pairs = [(canonicalize_name(match[1]), match[2]) for match in found if match]
    assert len({name for name, _ in pairs}) == len(pairs), "a package is pinned twice"
    return dict(pairs)


def installed_tree(roots: list[str]) -> Iterator[tuple[str, str]]:
    """Name and version of all that `roots` bring along in the environment that runs the test."""
    waiting, seen = [Requirement(root) for root in roots], set()
    while waiting:
        wanted = waiting.pop()
        key = (canonicalize_name(wanted.name), frozenset(wanted.extras))
        if key in seen or (wanted.marker and not any(wanted.marker.evaluate({"extra": e}) for e in ("", *EXTRAS))):
            continue
        seen.add(key)
        try:
            there = distribution(wanted.name)
        except PackageNotFoundError:
            continue  # An optional part that is not installed.
        yield key[0], there.version.partition("+")[0]
        for line in there.requires or []:
            part = Requirement(line)
            if part.marker is None or any(part.marker.evaluate({"extra": e}) for e in ("", *wanted.extras)):
                waiting.append(Requirement(line.partition(";")[0]))


def test_every_direct_dependency_is_pinned_alike_in_both_files() -> None:
    pinned = pins()
    for line in [*PROJECT["dependencies"], *(line for extra in EXTRAS.values() for line in extra)]:
        wanted = Requirement(line)
        (exact,) = wanted.specifier
        assert exact.operator == "==", line
        assert pinned.get(canonicalize_name(wanted.name)) == exact.version, f"{line}: run make constraints"
    makefile = (ROOT / "Makefile").read_text()
    assert f"TORCH := torch=={pinned['torch']}" in makefile
    assert f"PIP_AUDIT := pip-audit=={pinned['pip-audit']}" in makefile


def test_all_that_they_bring_along_is_pinned_at_what_runs_here() -> None:
    pinned = pins()
    tree = dict(installed_tree([*PROJECT["dependencies"], *EXTRAS["dev"]]))
    assert len(tree) > 80, "the walk went nowhere"
    # What torch's CUDA build needs is pinned by torch; a machine without it does not know of it.
    cuda = ("nvidia-", "cuda-", "triton")
    left = {name: version for name, version in tree.items() if not name.startswith(cuda)}
    assert {name: pinned.get(name) for name in left} == left, "run make constraints"


def test_pip_installs_from_the_pins_and_no_index_is_named() -> None:
    makefile = (ROOT / "Makefile").read_text()
    lines = [line for line in makefile.split("constraints: ##")[0].splitlines() if "pip install" in line]
    assert len(lines) == 3
    assert all("-c constraints.txt" in line for line in lines)
    assert not re.search(
        r"https?://|--(extra-)?index-url|--find-links", makefile + (ROOT / "constraints.txt").read_text()
    )


@pytest.mark.parametrize(
    ("says", "code", "told"),
    [
        ("exit 0", 0, "audit: no known vulnerability in 1 pinned packages"),
        ("echo 'idna 1.0 PYSEC-1 1.1'; exit 1", 1, "idna 1.0 PYSEC-1 1.1"),
        ("printf 'Traceback\\n  deep\\nConnectionError: nobody there\\n' >&2; exit 1", 2, "gave no answer: Connection"),
        ("echo 'idna: not found on PyPI' >&2; exit 1", 2, "audit: not done"),
        ("exit 127", 2, "audit: not done"),
    ],
)
def test_the_audit_tells_vulnerable_from_not_audited(tmp_path: Path, says: str, code: int, told: str) -> None:
    tool, listed = tmp_path / "pip-audit", tmp_path / "constraints.txt"
    tool.write_text(f'#!/bin/sh\necho "$@" >{tmp_path}/arguments\n{says}\n')
    tool.chmod(0o755)
    listed.write_text("# a comment\nidna==1.0\n")
    done = subprocess.run([ROOT / ".ci" / "audit", tool, listed], capture_output=True, text=True, check=False)
    assert done.returncode == code
    output = done.stdout + done.stderr
    assert told in output
    assert output.count("\n") == 1
    arguments = (tmp_path / "arguments").read_text()
    assert f"-r {listed}" in arguments
    # Without it pip-audit calls packages that it could not look up unharmed.
    assert "--strict" in arguments


def test_models_hold_weights_and_no_code() -> None:
    kinds = {path.suffix for path in (ROOT / "models").rglob("*") if path.is_file()}
    assert kinds <= {".safetensors", ".onnx", ".json", ".md"}


FORBIDDEN_MODULES = {"pickle", "cPickle", "dill", "cloudpickle", "joblib", "marshal", "shelve"}
FORBIDDEN_BUILTINS = {"eval", "exec", "compile", "__import__"}
FORBIDDEN_CALLS = {
    "torch.load",
    "torch.jit.load",
    "os.system",
    "os.popen",
    "yaml.unsafe_load",
    "yaml.full_load",
    "ssl._create_unverified_context",
}
SAFE_LOADERS = {"yaml.SafeLoader", "yaml.CSafeLoader"}


def dangers(source: str) -> list[str]:
    """What in a module could run data as code, run a shell, or trust anybody: line and name."""
    found = []
    for node in ast.walk(ast.parse(source)):
        modules: list[str] = []
        if isinstance(node, ast.Import):
            modules = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            modules = [node.module or "", *(f"{node.module}.{alias.name}" for alias in node.names)]
        found += [
            f"{node.lineno}: {name}"
            for name in modules
            if name.split(".")[0] in FORBIDDEN_MODULES or name in FORBIDDEN_CALLS
        ]
        if isinstance(node, ast.Call):
            found += [f"{node.lineno}: {name}" for name in dangers_of_call(node)]
    return found


def dangers_of_call(node: ast.Call) -> Iterator[str]:
    name = ast.unparse(node.func)
    given = {keyword.arg: ast.unparse(keyword.value) for keyword in node.keywords}
    if name in FORBIDDEN_CALLS | FORBIDDEN_BUILTINS:
        yield name
    if name in ("yaml.load", "yaml.load_all"):
        loader = given.get("Loader") or (ast.unparse(node.args[1]) if len(node.args) > 1 else "")
        if loader not in SAFE_LOADERS:
            yield name
    for argument, bad in (
        ("shell", "True"),
        ("verify", "False"),
        ("allow_pickle", "True"),
        ("check_hostname", "False"),
    ):
        if given.get(argument) == bad:
            yield f"{argument}={bad}"
    if given.get("trust_remote_code") == "True":
        yield "trust_remote_code"


@pytest.mark.parametrize(
    "line",
    [
        "import pickle",
        "from pickle import load",
        "import joblib.memory",
        "from torch import load",
        "torch.load(path)",
        "eval(words)",
        "exec(words)",
        "yaml.load(stream)",
        "yaml.load(stream, Loader=yaml.Loader)",
        "yaml.unsafe_load(stream)",
        "subprocess.run(words, shell=True)",
        "httpx.get(url, verify=False)",
        "np.load(path, allow_pickle=True)",
        "os.system(words)",
        "AutoModel.from_pretrained(name, trust_remote_code=True)",
    ],
)
def test_the_search_finds_what_is_dangerous(line: str) -> None:
    assert dangers(f"def f(words, path, url, stream, name):\n    {line}\n")


def test_the_search_lets_harmless_calls_be() -> None:
    lines = ["network.eval()", "yaml.safe_load(a)", "yaml.load(a, Loader=yaml.CSafeLoader)", "re.compile(a)", "run(a)"]
    assert dangers("\n".join(lines)) == []


def test_no_product_code_runs_data() -> None:
    modules = [path for folder in ("services", "schemas") for path in sorted((ROOT / folder).rglob("*.py"))]
    assert len(modules) > 80
    found = {str(path.relative_to(ROOT)): dangers(path.read_text()) for path in modules}
    assert {path: lines for path, lines in found.items() if lines} == {}
