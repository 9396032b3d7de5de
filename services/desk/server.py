"""The app in a thread beside the loop."""

from __future__ import annotations

import socket
from threading import Thread
from typing import Self

import uvicorn

from services.desk.api import application
from services.desk.bulletin import Bulletin
from services.desk.settings import DeskSettings
from services.desk.store import Store

BACKLOG = 512
GRACE_SECONDS = 1
SEND_BYTES = 128 * 1024
JOIN_SECONDS = 3.0


class DeskServer:
    """Serves until closed; `port` is the one in use. OSError when the address cannot be had."""

    def __init__(self, settings: DeskSettings, store: Store) -> None:
        family = socket.AF_INET6 if ":" in settings.desk_host else socket.AF_INET
        self._socket = socket.create_server(
            (settings.desk_host, settings.desk_port), family=family, backlog=BACKLOG, reuse_port=False
        )
        # Taken over by every connection: the kernel ends one whose reader takes nothing, and holds little for it.
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, int(settings.desk_reader_seconds * 1000))
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BYTES)
        self.port: int = self._socket.getsockname()[1]
        self.bulletin = Bulletin(store)
        config = uvicorn.Config(
            application(settings, store, self.bulletin),
            log_config=None,
            access_log=False,
            server_header=False,
            ws="none",
            timeout_graceful_shutdown=GRACE_SECONDS,
            # Addresses for the rate limit come from the connection, not from what a header says.
            proxy_headers=False,
        )
        self._server = uvicorn.Server(config)
        self._thread = Thread(target=self._server.run, args=([self._socket],), name="desk", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.bulletin.stop()  # Event streams have no end of their own that the server could wait for.
        self._server.should_exit = True
        self._thread.join(JOIN_SECONDS)
