"""What every request passes: only this machine's own page is answered, sizes are bounded."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

HEADERS: Mapping[str, str] = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
        "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}

_CHANGES_NOTHING = ("GET", "HEAD")


class TooLarge(Exception):
    """A body went beyond what its address takes."""


class Guard:
    """Wraps the application.

    A page elsewhere cannot reach it by a name of its own for 127.0.0.1 (the Host must be ours), nor
    post to it (the Origin must be ours), nor read what it answers (no header allows that).

    Args:
        app: what answers.
        port: where it listens.
    """

    def __init__(self, app: ASGIApp, port: int) -> None:
        self._app = app
        self._hosts = {f"{name}:{port}" for name in ("127.0.0.1", "localhost", "[::1]")}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        if scope["type"] != "http":  # no web sockets
            return
        refusal = self._refusal(scope["method"], Headers(scope=scope))

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(HEADERS)
            await send(message)

        if refusal is not None:
            answer = JSONResponse({"error": refusal}, HTTPStatus.FORBIDDEN)
            await answer(scope, receive, with_headers)
            return
        await self._app(scope, receive, with_headers)

    def _refusal(self, method: str, headers: Headers) -> str | None:
        if headers.get("host") not in self._hosts:
            return "this address is not the studio's"
        origin = headers.get("origin")
        ours = origin is not None and origin.removeprefix("http://") in self._hosts
        if (origin is not None and not ours) or (origin is None and method not in _CHANGES_NOTHING):
            return "only the studio's own page may ask this"
        if headers.get("sec-fetch-site", "none") not in ("none", "same-origin"):
            return "only the studio's own page may ask this"
        return None
