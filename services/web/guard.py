"""What stands before the app: names and tokens, limits on size and rate, and the headers of every answer."""

from __future__ import annotations

import asyncio
import base64
import binascii
import json
import math
import time
from collections.abc import Callable, Iterable

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from services.web.limits import RateLimit

BODY_SECONDS = 10.0
LOOPBACK_NAMES = ("localhost", "127.0.0.1", "[::1]")
CONTENT_SECURITY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
HEADERS = (
    (b"content-security-policy", CONTENT_SECURITY.encode()),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
)

Known = Callable[[str], bool]


class Guard:
    """Lets a request through to the app, or answers it with 400, 401, 408, 413 or 429.

    `names` are the hosts by which an open service may be called: a page of another site that has its own name point at
    the loopback must not read it; the variable `setting` adds names. None: every request needs a token instead.
    """

    def __init__(
        self,
        app: ASGIApp,
        known: Known,
        names: Iterable[str] | None,
        request_bytes: int,
        rate: RateLimit,
        setting: str,
    ) -> None:
        self._setting = setting
        self._app, self._known, self._request_bytes, self._rate = app, known, request_bytes, rate
        self._names = None if names is None else {name.lower() for name in (*LOOPBACK_NAMES, *names)}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        if scope["type"] != "http":
            return
        out = _with_headers(send)
        headers = dict(scope["headers"])
        wait = self._rate.wait(scope["client"][0] if scope["client"] else "", time.monotonic())
        if wait:
            await _refuse(out, 429, "too many requests", {"retry-after": str(math.ceil(wait))})
        elif self._names is not None and _name(headers.get(b"host", b"")) not in self._names:
            await _refuse(out, 400, f"not called by that name here; see {self._setting}")
        elif self._names is None and not await asyncio.to_thread(self._has_token, headers):
            # Browsers ask for it as a password, and send it with the event stream too.
            asked = {"www-authenticate": 'Basic realm="demarche: token as password", charset="UTF-8"'}
            await _refuse(out, 401, "a token is needed", asked)
        else:
            await self._with_body(scope, headers, receive, out)

    def _has_token(self, headers: dict[bytes, bytes]) -> bool:
        token = token_in(headers.get(b"authorization", b"").decode("latin-1"))
        return token is not None and self._known(token)

    async def _with_body(self, scope: Scope, headers: dict[bytes, bytes], receive: Receive, send: Send) -> None:
        """Takes the whole body first, so that one too large or too slow never reaches the app."""
        told = headers.get(b"content-length", b"")
        if told.isdigit() and int(told) > self._request_bytes:
            await _refuse(send, 413, f"more than {self._request_bytes} bytes")
            return
        body = bytearray()
        more = True
        try:
            async with asyncio.timeout(BODY_SECONDS):
                while more:
                    message = await receive()
                    if message["type"] != "http.request":
                        return
                    body += message.get("body", b"")
                    more = message.get("more_body", False)
                    if len(body) > self._request_bytes:
                        await _refuse(send, 413, f"more than {self._request_bytes} bytes")
                        return
        except TimeoutError:
            await _refuse(send, 408, "the body came too slowly")
            return
        taken: list[Message] = [{"type": "http.request", "body": bytes(body), "more_body": False}]

        async def again() -> Message:
            return taken.pop() if taken else await receive()

        await self._app(scope, again, send)


def token_in(authorization: str) -> str | None:
    """The token of an Authorization header: a bearer's, or the password of Basic."""
    scheme, _, rest = authorization.partition(" ")
    if scheme.lower() == "bearer":
        return rest.strip() or None
    if scheme.lower() == "basic":
        try:
            return base64.b64decode(rest.strip(), validate=True).decode().partition(":")[2] or None
        except (binascii.Error, UnicodeDecodeError):
            return None
    return None


def _name(host: bytes) -> str:
    """The host's name without its port."""
    text = host.decode("latin-1").lower()
    if text.startswith("["):
        return text.partition("]")[0] + "]"
    return text.partition(":")[0]


def _with_headers(send: Send) -> Send:
    async def out(message: Message) -> None:
        if message["type"] == "http.response.start":
            present = {name for name, _ in message["headers"]}
            added = [*HEADERS, (b"cache-control", b"no-store")]
            message["headers"] = [*message["headers"], *((n, v) for n, v in added if n not in present)]
        await send(message)

    return out


async def _refuse(send: Send, status: int, why: str, headers: dict[str, str] | None = None) -> None:
    body = json.dumps({"detail": why}).encode()
    told = {"content-type": "application/json", "content-length": str(len(body)), **(headers or {})}
    pairs = [(name.encode(), value.encode()) for name, value in told.items()]
    await send({"type": "http.response.start", "status": status, "headers": pairs})
    await send({"type": "http.response.body", "body": body})
