"""``report --live``: the page of a study on this machine alone, made anew when the study has grown."""

from __future__ import annotations

import errno
import html
import sys
import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from gru_tune.errors import GruTuneError, StudyError
from gru_tune.report import read
from gru_tune.study.results import StudyFolder

HOST = "127.0.0.1"
PORT, PORTS = 8765, 20  # the first of those that are tried where none is given
PAUSE = 5.0  # seconds between two pages at least
SHARE = 0.1  # of one core, that making pages may take at most: the cores are the workers'
HEADERS = {
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Resource-Policy": "same-origin",
}
META = '<head>\n<meta name="version" content="{}">'  # by which the page's script knows that there is another
UNREADABLE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="refresh" content="5">
<title>gru-tune</title>
</head>
<body><p>The page cannot be made just now, and is tried again: {}</p></body>
</html>
"""


def serve(
    path: Path, port: int | None, announce: Callable[[str], None], make: Callable[[], str] | None = None
) -> None:
    """Serve the page of the study at ``path`` on the loopback address until Ctrl-C.

    ``port`` is a free one by default, ``make`` makes the page (of the study, by default).
    Raises ``StudyError`` when there is no such study, or the port cannot be had.
    """
    folder = StudyFolder(_only(path))

    def page() -> str:
        from gru_tune import page as pages

        return pages.html(read.study(folder.path), live=True)

    with server(Site(folder, make or page), port) as running:
        announce(f"{folder.path} is shown at http://{HOST}:{running.server_port}/ (Ctrl-C ends it)")
        try:
            running.serve_forever()
        except KeyboardInterrupt:
            announce("no longer shown")


def _only(path: Path) -> Path:
    found = read.find(path)
    if len(found) > 1:
        raise StudyError(f"--live shows one study: name its folder, such as {found[0]}")
    return found[0]


class Site:
    """The page of a study, and its version, which changes when there is something new to show."""

    def __init__(self, folder: StudyFolder, make: Callable[[], str]) -> None:
        self._files = (folder.log, folder.facts)
        self._make = make
        self._making = threading.Lock()
        self._page, self._of = (200, ""), ""
        self._until = 0.0  # time.monotonic() before which no other page is made

    def version(self) -> str:
        """That of the page which would be sent now."""
        if time.monotonic() < self._until:
            return self._of
        return "-".join(_stamp(file) for file in self._files)

    def page(self) -> tuple[int, str]:
        """The HTTP status, and the page or why there is none: the study may be about to begin anew."""
        with self._making:
            version = self.version()
            if version != self._of:
                start = time.monotonic()
                self._page, self._of = self._made(version), version
                end = time.monotonic()
                self._until = end + max(PAUSE, (end - start) / SHARE)
            return self._page

    def _made(self, version: str) -> tuple[int, str]:
        try:
            return 200, self._make().replace("<head>", META.format(version), 1)
        except GruTuneError as error:
            return 503, UNREADABLE.format(html.escape(str(error)))
        except Exception as error:  # whatever it is, the next page may be made all the same
            return 503, UNREADABLE.format(html.escape(f"{type(error).__name__}: {error}"))


def _stamp(file: Path) -> str:
    try:
        facts = file.stat()
    except OSError:
        return "none"
    return f"{facts.st_size}.{facts.st_mtime_ns}"


class Server(ThreadingHTTPServer):
    """Says nothing of a browser that has gone, as it does when a page is left before it is there."""

    def handle_error(self, request: Any, client_address: Any) -> None:
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(request, client_address)


def server(site: Site, port: int | None) -> Server:
    """A server of ``site`` on the loopback address, bound and not yet running. Raises ``StudyError``."""
    ports = [port] if port is not None else [*range(PORT, PORT + PORTS), 0]
    for number in ports:
        try:
            made = Server((HOST, number), _handler(site))
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                raise StudyError(
                    f"port {number} cannot be used: {error.strerror}; choose another --port"
                ) from None
        else:
            return made
    raise StudyError(f"port {port} is in use: choose another --port, or none for a free one")


def _handler(site: Site) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        """Answers ``/`` and ``/version``; no path ever leads to a file."""

        server_version, sys_version = "gru-tune", ""
        timeout = 10  # seconds for a request to come in

        def do_GET(self) -> None:
            # A page elsewhere whose name leads to this machine (DNS rebinding) gives that name here.
            if self.headers.get("Host", "").lower().split(":")[0] not in {HOST, "localhost"}:
                self._answer(403, "only for this machine\n", "text/plain")
            elif self.path == "/version":
                self._answer(200, site.version(), "text/plain")
            elif self.path == "/":
                status, page = site.page()
                self._answer(status, page, "text/html")
            else:
                self._answer(404, "there is only /\n", "text/plain")

        do_HEAD = do_GET  # noqa: N815 (the name the library looks for)

        def _answer(self, status: int, text: str, kind: str) -> None:
            body = text.encode("utf-8")
            self.send_response(status)
            self.send_header("Content-Type", f"{kind}; charset=utf-8")
            self.send_header("Content-Length", str(len(body)))
            for name, value in HEADERS.items():
                self.send_header(name, value)
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            pass  # nobody asks for a line a request

    return Handler
