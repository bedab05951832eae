"""Addresses of a cluster: whether anything answers there, and whether that is Ray."""

from __future__ import annotations

import os
import socket

SECONDS = 2.0  # for a machine of the same network to answer
SETTINGS = bytes([0, 0, 0, 4, 0, 0, 0, 0, 0])  # the first frame that each side of HTTP/2 sends, when empty
GREETING = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + SETTINGS


def reachable(address: str) -> str | None:
    """Why nothing can be reached at ``host:port``; None when it can."""
    if (reason := form(address)) is not None:
        return reason
    try:
        _connected(address).close()
    except (OSError, OverflowError, ValueError) as error:  # ValueError: no name that a host can have
        return str(getattr(error, "strerror", None) or error)
    return None


def form(address: str) -> str | None:
    """Why something is no address."""
    host, _, port = address.rpartition(":")
    if host and port.isascii() and port.isdigit():
        return None
    return "an address is HOST:PORT, as 10.0.0.1:6379, or auto"


def _connected(address: str) -> socket.socket:
    host, _, port = address.rpartition(":")
    return socket.create_connection((host.strip("[]"), int(port)), SECONDS)


def foreign(address: str) -> str | None:
    """Why what answers there is not Ray, whose servers greet in HTTP/2; behind TLS it is not asked."""
    if os.environ.get("RAY_USE_TLS", "0").lower() in ("1", "true"):
        return None
    try:
        with _connected(address) as asked:
            asked.sendall(GREETING)
            answer = asked.recv(len(SETTINGS))
    except OSError:  # it hangs up, or says nothing
        answer = b""
    return None if answer[3:4] == SETTINGS[3:4] else "something else answers there"
