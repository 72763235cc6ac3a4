"""What stands before every route: who may ask, from which page, how much, how often; and what is said of it in the log."""

import hmac
import json
import logging
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

__all__ = ["Guard", "Rules"]

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

LOOPBACK = ("localhost", "127.0.0.1", "::1")
OPEN = ("/", "/favicon.ico", "/health", "/ready")
"""What needs no token: the page itself, which holds nothing, and what a supervisor asks."""
UPLOADS = "/api/documents"
_MAX_BODY = 2 * 1024**2
_KNOWN = 10_000  # clients whose rates are remembered

_HEADERS = {
    b"content-security-policy": (
        b"default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; connect-src 'self'; font-src 'self'; "
        b"base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    b"x-content-type-options": b"nosniff",
    b"referrer-policy": b"no-referrer",
    b"cross-origin-resource-policy": b"same-origin",
    b"x-frame-options": b"DENY",
}
_log = logging.getLogger("rag_agent.requests")


@dataclass(frozen=True)
class Rules:
    """What is let through."""

    hosts: frozenset[str] = frozenset(LOOPBACK)
    """Names by which the server may be called, without port; empty lets any through, where a token is asked for."""
    token: str | None = None
    """What a caller must bring as `Authorization: Bearer TOKEN`; None asks for none."""
    max_body: int = _MAX_BODY
    """Bytes of a request."""
    max_upload: int = 100 * 1024**2
    """Bytes of a request that brings files."""
    rate: float = 10.0
    """Requests a second that an address may send for long, four times as many at once; this machine's own are not counted."""


class Guard:
    """ASGI middleware that refuses what the rules do not let through, before anything is read."""

    def __init__(self, app: App, rules: Rules, told: Callable[[str, int], None] | None = None) -> None:
        """Stand before an app; `told` hears the route and status of every request."""
        self._app = app
        self._rules = rules
        self._told = told or (lambda route, status: None)
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request through, or answer it."""
        if scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008})
            return
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began, status = time.perf_counter(), 0

        async def answered(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                kept = [(name, value) for name, value in message.get("headers", []) if name.lower() not in _HEADERS]
                message["headers"] = [*kept, *_HEADERS.items()]
                if not any(name.lower() == b"cache-control" for name, _ in kept):
                    message["headers"].append((b"cache-control", b"no-store"))
            await send(message)

        try:
            if refused := self._refusal(scope):
                await _refuse(answered, *refused)
            else:
                await self._bounded(scope, receive, answered)
        except Exception:
            if not status:
                raise
            _log.exception("a request failed")  # it has been answered; the connection need not be broken off
        finally:
            self._note(scope, status, time.perf_counter() - began)

    def _note(self, scope: Scope, status: int, seconds: float) -> None:
        """One line a request, without query, names or text: they say what is asked."""
        route = getattr(scope.get("route"), "path", None) or ("(page)" if scope["path"] in OPEN else "(none)")
        self._told(route, status)
        _log.info(
            "%s %s %s %.0f ms", scope["method"], route, status or "gone", 1000 * seconds,
            extra={"method": scope["method"], "route": route, "status": status, "ms": round(1000 * seconds, 1)},
        )  # fmt: skip

    def _refusal(self, scope: Scope) -> tuple[int, str] | None:
        headers = {name.lower(): value.decode("latin-1") for name, value in scope["headers"]}
        host = headers.get(b"host", "")
        if self._rules.hosts and _name(host) not in self._rules.hosts:
            return 421, "this server is not called so; use the address that it printed, or start it with --allow-host NAME"
        origin = headers.get(b"origin")
        if origin is not None and urlsplit(origin).netloc.lower() != host.lower():
            return 403, "another site's page may not use this server"
        if self._rules.token and not self._is_open(scope["path"]) and not self._has_token(headers):
            return 401, "this server asks for its token: send the header Authorization: Bearer TOKEN"
        if self._too_often(scope):
            return 429, "too many requests; wait a second"
        return None

    @staticmethod
    def _is_open(path: str) -> bool:
        return path in OPEN or path.startswith("/static/")

    def _has_token(self, headers: dict[bytes, str]) -> bool:
        kind, _, given = headers.get(b"authorization", "").partition(" ")
        return kind.lower() == "bearer" and hmac.compare_digest(given.strip().encode(), str(self._rules.token).encode())

    def _too_often(self, scope: Scope) -> bool:
        address = scope["client"][0] if scope.get("client") else "?"
        if address in LOOPBACK:
            return False
        now, burst = time.monotonic(), 4 * self._rules.rate
        left, last = self._buckets.pop(address, (burst, now))
        left = min(burst, left + (now - last) * self._rules.rate)
        self._buckets[address] = (max(0.0, left - 1), now)
        if len(self._buckets) > _KNOWN:
            self._buckets.popitem(last=False)
        return left < 1

    async def _bounded(self, scope: Scope, receive: Receive, send: Send) -> None:
        """The request, as long as its body is not too large."""
        uploads = scope["path"] == UPLOADS and scope["method"] == "POST"
        most = self._rules.max_upload if uploads else self._rules.max_body
        told = next((value for name, value in scope["headers"] if name.lower() == b"content-length"), b"0")
        told_limit = f"the request is larger than the {most // 1024} kB that are taken"
        if not told.isdigit() or int(told) > most:
            await _refuse(send, 413, told_limit)
            return
        taken, refused = 0, False

        async def counted() -> Message:
            nonlocal taken
            message = await receive()
            taken += len(message.get("body", b""))
            if taken > most:
                raise _TooLargeError
            return message

        async def sent(message: Message) -> None:
            nonlocal refused
            if taken <= most:
                await send(message)
            elif not refused:  # whatever the app makes of it
                refused = True
                await _refuse(send, 413, told_limit)

        try:
            await self._app(scope, counted, sent)
        except _TooLargeError:
            if not refused:
                await _refuse(send, 413, told_limit)


class _TooLargeError(Exception):
    pass


def _name(host: str) -> str:
    """A host without its port: `[::1]:80` is `::1`."""
    name = host.lower().rpartition("]")[0].removeprefix("[") if host.startswith("[") else host.lower().partition(":")[0]
    return name.rstrip(".")


async def _refuse(send: Send, status: int, why: str) -> None:
    body = json.dumps({"error": why}).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    if status == 401:
        headers.append((b"www-authenticate", b"Bearer"))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
