"""Connections for outgoing calls: to an address that was judged, and ended in time whatever the other side does."""

from __future__ import annotations

import http.client
import socket
import ssl
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from threading import Timer
from urllib.parse import quote, urlsplit

from services.web.address import Network, Refused, resolve

KEPT = "%/:=&?~#+!$,;'@()*[]|"
PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True)
class Bounds:
    """What a call may cost, and where it may go; `setting` is the variable that allows further networks."""

    seconds: float
    answer_bytes: int
    allowed: Sequence[Network]
    setting: str
    plain: bool = False


@dataclass(frozen=True)
class Line:
    """An open connection, and what a request over it needs: the path, and the Host header."""

    client: http.client.HTTPConnection
    path: str
    host: str


@contextmanager
def connected(url: str, bounds: Bounds, seconds: float | None = None) -> Iterator[Line]:
    """Connects to the address that `url` resolves to now, for `seconds` (those of `bounds` when not given) in all.

    Refused for an address that must not be called; other OSError, HTTPException or ValueError when it failed.
    """
    seconds = bounds.seconds if seconds is None else seconds
    parts = urlsplit(url)
    if parts.scheme not in PORTS or not parts.hostname:
        raise Refused(f"no web address: {url}")
    host = parts.hostname
    port = parts.port or PORTS[parts.scheme]
    try:
        address = resolve(host, port, parts.scheme, bounds.allowed, plain=bounds.plain)
    except Refused as error:
        raise Refused(f"{error}; see {bounds.setting}") from None
    connection = socket.create_connection((address, port), timeout=seconds)
    # A socket's own timeout begins anew with each byte; this one ends a call that drips. It needs a handle of its own:
    # the TLS layer takes the first one over.
    handle = connection.dup()
    ender = Timer(seconds, _end, [handle])
    ender.daemon = True
    ender.start()
    try:
        if parts.scheme == "https":
            connection = ssl.create_default_context().wrap_socket(connection, server_hostname=host)
        client = http.client.HTTPConnection(host, port, timeout=seconds)
        client.sock = connection  # Already connected, to the address that was judged.
        path = quote((parts.path or "/") + (f"?{parts.query}" if parts.query else ""), safe=KEPT)
        name = f"[{host}]" if ":" in host else host
        yield Line(client, path, name if port == PORTS[parts.scheme] else f"{name}:{port}")
    finally:
        ender.cancel()
        handle.close()
        connection.close()


def _end(connection: socket.socket) -> None:
    with suppress(OSError):  # It may have ended by itself.
        connection.shutdown(socket.SHUT_RDWR)
