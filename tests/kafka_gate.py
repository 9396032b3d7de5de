"""A listener as brokers in production have it, in front of the local broker: TLS with client certificates, SASL PLAIN.

The local broker knows neither. The gate ends the TLS, checks the password, and passes the rest through, with its own
port in the place of the broker's wherever the broker tells its address.
"""

from __future__ import annotations

import asyncio
import shutil
import ssl
import struct
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event as ThreadEvent
from threading import Thread

import pytest

SASL_HANDSHAKE, API_VERSIONS, SASL_AUTHENTICATE = 17, 18, 36
AUTHENTICATION_FAILED = 58
HOST = b"127.0.0.1"
USER, PASSWORD, KEY_PASSWORD = "line-user", "sasl-Geheim-4711", "key-Geheim-0815"
FLEXIBLE = 2


@dataclass(frozen=True)
class Papers:
    """Certificates and keys as files."""

    folder: Path

    def __getattr__(self, name: str) -> str:
        return str(self.folder / f"{name}.pem")


def make_papers(folder: Path) -> Papers:
    """ca, server and server_key (for 127.0.0.1), client and client_key (encrypted), other_ca."""
    if shutil.which("openssl") is None:
        pytest.skip("openssl is not installed")

    def openssl(words: str) -> None:
        subprocess.run(["openssl", *words.split()], cwd=folder, check=True, capture_output=True, timeout=60)

    key = "-newkey ec -pkeyopt ec_paramgen_curve:prime256v1"
    for name in ("ca", "other_ca"):
        openssl(f"req -x509 {key} -nodes -keyout {name}_key.pem -out {name}.pem -subj /CN={name} -days 2")
    for name, extra in (("server", "-nodes"), ("client", f"-passout pass:{KEY_PASSWORD}")):
        openssl(
            f"req -x509 {key} {extra} -keyout {name}_key.pem -out {name}.pem -subj /CN={name} -days 2 "
            "-CA ca.pem -CAkey ca_key.pem -addext subjectAltName=IP:127.0.0.1 -addext basicConstraints=CA:FALSE"
        )
    return Papers(folder)


@dataclass
class Gate:
    """An open gate: its address and who came through."""

    port: int
    admitted: set[str] = field(default_factory=set)
    """Client ids that gave the right password."""
    refused: int = 0

    @property
    def bootstrap(self) -> str:
        return f"{HOST.decode()}:{self.port}"


@contextmanager
def kafka_gate(bootstrap: str, papers: Papers) -> Iterator[Gate]:
    """The gate before the broker at `bootstrap`, in a thread of its own."""
    behind = int(bootstrap.rpartition(":")[2])
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(papers.server, papers.server_key)
    context.load_verify_locations(papers.ca)
    context.verify_mode = ssl.CERT_REQUIRED
    gate, opened = Gate(0), ThreadEvent()
    loop = asyncio.new_event_loop()
    closing = asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            await _serve(gate, behind, reader, writer)
        writer.close()

    async def run() -> None:
        server = await asyncio.start_server(serve, HOST.decode(), 0, ssl=context)
        gate.port = server.sockets[0].getsockname()[1]
        opened.set()
        await closing.wait()
        server.close()

    def work() -> None:
        # Its end cancels what still runs.
        with asyncio.Runner(loop_factory=lambda: loop) as runner:
            runner.run(run())

    thread = Thread(target=work, daemon=True)
    thread.start()
    assert opened.wait(10)
    try:
        yield gate
    finally:
        loop.call_soon_threadsafe(closing.set)
        thread.join(10)


async def _frame(reader: asyncio.StreamReader) -> bytes:
    (size,) = struct.unpack(">i", await reader.readexactly(4))
    return await reader.readexactly(size)


def _send(writer: asyncio.StreamWriter, frame: bytes) -> None:
    writer.write(struct.pack(">i", len(frame)) + frame)


async def _serve(gate: Gate, behind: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    from_broker, to_broker = await asyncio.open_connection(HOST.decode(), behind)

    async def answers() -> None:
        with suppress(OSError, asyncio.IncompleteReadError):
            while True:
                frame = await _frame(from_broker)
                at, now = (HOST + struct.pack(">i", port) for port in (behind, gate.port))
                _send(writer, frame.replace(at, now))

    passing = asyncio.ensure_future(answers())
    admitted = False
    try:
        while True:
            frame = await _frame(reader)
            key, version, correlation, length = struct.unpack_from(">hhih", frame)
            if key == SASL_HANDSHAKE:
                _send(writer, struct.pack(">ihih", correlation, 0, 1, 5) + b"PLAIN")
            elif key == SASL_AUTHENTICATE:
                admitted = f"{USER}\0{PASSWORD}".encode() in frame
                gate.refused += not admitted
                if admitted:
                    gate.admitted.add(frame[10 : 10 + length].decode())
                error = 0 if admitted else AUTHENTICATION_FAILED
                _send(writer, _authenticated(correlation, version, error))
            elif admitted or key == API_VERSIONS:
                _send(to_broker, frame)
            else:
                return
    finally:
        passing.cancel()
        to_broker.close()


def _authenticated(correlation: int, version: int, error: int) -> bytes:
    if version >= FLEXIBLE:
        return struct.pack(">ibhbbqb", correlation, 0, error, 0, 1, 0, 0)
    body = struct.pack(">ihhi", correlation, error, -1, 0)
    return body + struct.pack(">q", 0) if version else body
