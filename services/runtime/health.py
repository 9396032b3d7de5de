"""/metrics, /healthz and /readyz on one small server thread."""

from __future__ import annotations

import os
import time
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from typing import Self

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST

REQUEST_SECONDS = 5.0


class Health:
    """What the loop tells of itself. Alive: it turned within `max_silence` seconds. Ready: it is in its group."""

    def __init__(self, max_silence: float) -> None:
        self.ready = False
        self._max_silence = max_silence
        self._beat = time.monotonic()

    def beat(self) -> None:
        """Called at every turn of the loop."""
        self._beat = time.monotonic()

    @property
    def alive(self) -> bool:
        """Whether the loop turned lately."""
        return time.monotonic() - self._beat < self._max_silence


class HealthServer:
    """Serves until closed. `port` 0 takes any free one; `port_file` gets the number, written whole or not at all."""

    def __init__(
        self, health: Health, registry: CollectorRegistry, host: str, port: int, port_file: Path | None = None
    ) -> None:
        def answer(path: str) -> tuple[int, str, bytes]:
            if path == "/metrics":
                return 200, CONTENT_TYPE_LATEST, generate_latest(registry)
            states = {"/healthz": health.alive, "/readyz": health.ready and health.alive}
            if path not in states:
                return 404, "text/plain", b"not found\n"
            return (200, "text/plain", b"ok\n") if states[path] else (503, "text/plain", b"not yet\n")

        class Handler(BaseHTTPRequestHandler):
            timeout = REQUEST_SECONDS

            def do_GET(self) -> None:
                status, kind, body = answer(self.path.split("?")[0])
                self.send_response(status)
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: object) -> None:
                pass

        self._server = HTTPServer((host, port), Handler)
        self.port: int = self._server.server_address[1]
        self._port_file = port_file
        if port_file is not None:
            part = port_file.with_suffix(".part")
            part.write_text(f"{self.port}\n")
            os.replace(part, port_file)
        self._thread = Thread(target=self._server.serve_forever, name="health", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stops serving."""
        self._server.shutdown()
        self._server.server_close()
        if self._port_file is not None:
            self._port_file.unlink(missing_ok=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
