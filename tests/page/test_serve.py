"""``report --live``: a page for this machine alone, that follows its study."""

from __future__ import annotations

import http.client
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from gru_tune.errors import StudyError
from gru_tune.page import serve as serving
from gru_tune.page.serve import HOST, Site, serve, server
from gru_tune.study.results import StudyFolder
from tests.report import builders

if TYPE_CHECKING:
    from playwright.sync_api import Browser

SCRIPT = (Path(serving.__file__).parent / "live.js").read_text(encoding="utf-8")
PAGE = "<!doctype html><html lang='en'><head><meta charset='utf-8'></head><body>{}<script>{}</script></body></html>"


@pytest.fixture
def folder(tmp_path: Path) -> StudyFolder:
    return builders.study(tmp_path / "toy", trials=3, facts={})


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(serving, "PAUSE", 0.0)
    monkeypatch.setattr(serving, "SHARE", 1000.0)


def size(folder: StudyFolder) -> Callable[[], str]:
    """Makes a page that shows how long the log is."""
    return lambda: PAGE.format(f"<p id='size'>{folder.log.stat().st_size}</p>", "")


@contextmanager
def serving_at(site: Site, port: int | None = 0) -> Iterator[int]:
    with server(site, port) as running:
        thread = threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield running.server_port
        finally:
            running.shutdown()
            thread.join()


def ask(port: int, path: str = "/", method: str = "GET", host: str | None = None) -> tuple[int, str]:
    connection = http.client.HTTPConnection(HOST, port, timeout=10)
    connection.request(method, path, headers={"Host": host or f"{HOST}:{port}"})
    answer = connection.getresponse()
    text = answer.read().decode("utf-8")
    connection.close()
    return answer.status, text


def grow(folder: StudyFolder) -> None:
    with folder.log.open("a", encoding="utf-8") as file:
        file.write("\n")


def test_the_page_is_made_anew_when_the_log_has_grown(folder: StudyFolder) -> None:
    made: list[int] = []

    def make() -> str:
        made.append(1)
        return size(folder)()

    with serving_at(Site(folder, make)) as port:
        _, first = ask(port)
        _, version = ask(port, "/version")
        assert f'<meta name="version" content="{version}">' in first
        assert ask(port) == (200, first)
        assert len(made) == 1
        grow(folder)
        assert ask(port, "/version")[1] != version
        assert f">{folder.log.stat().st_size}<" in ask(port)[1]
        assert len(made) == 2


def test_pages_take_no_more_than_their_share_of_a_core(
    folder: StudyFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [1000.0]
    monkeypatch.setattr(serving, "SHARE", 0.1)
    monkeypatch.setattr("gru_tune.page.serve.time.monotonic", lambda: now[0])

    def make() -> str:
        now[0] += 2.0
        return size(folder)()

    site = Site(folder, make)
    first, version = site.page(), site.version()
    grow(folder)
    now[0] += 19.0
    assert (site.page(), site.version()) == (first, version)  # nobody is told of news that cannot be had
    now[0] += 2.0
    assert site.version() != version
    assert site.page() != first


def test_only_one_page_is_made_at_a_time(folder: StudyFolder) -> None:
    busy, most = [0], [0]
    ready = threading.Event()

    def make() -> str:
        busy[0] += 1
        most[0] = max(most[0], busy[0])
        ready.wait(0.2)
        busy[0] -= 1
        return size(folder)()

    with serving_at(Site(folder, make)) as port:
        threads = [threading.Thread(target=ask, args=(port,)) for _ in range(5)]
        for thread in threads:
            thread.start()
        assert ask(port, "/version")[0] == 200  # does not wait for the page
        for thread in threads:
            thread.join()
    assert most == [1]


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:8765", "127.0.0.1.evil.example", "", "192.168.0.7"]
)
def test_a_host_from_elsewhere_is_refused(host: str, folder: StudyFolder) -> None:
    with serving_at(Site(folder, size(folder))) as port:
        status, text = ask(port, host=host or " ")
        assert (status, text) == (403, "only for this machine\n")
        assert ask(port, host=f"localhost:{port}")[0] == 200


@pytest.mark.parametrize(
    "path",
    [
        "/trials.jsonl",
        "/../trials.jsonl",
        "/%2e%2e/study.json",
        "//etc/passwd",
        "/version/",
        "/?x=1",
        "/index.html",
    ],
)
def test_no_path_leads_to_a_file(path: str, folder: StudyFolder) -> None:
    with serving_at(Site(folder, size(folder))) as port:
        assert ask(port, path) == (404, "there is only /\n")


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS"])
def test_nothing_can_be_sent(method: str, folder: StudyFolder) -> None:
    with serving_at(Site(folder, size(folder))) as port:
        assert ask(port, method=method)[0] == 501
        assert ask(port, method="HEAD") == (200, "")


def test_nothing_is_said_of_a_browser_that_leaves(
    folder: StudyFolder, capfd: pytest.CaptureFixture[str]
) -> None:
    with serving_at(Site(folder, lambda: "x" * 10_000_000)) as port:
        with socket.create_connection((HOST, port)) as browser:
            browser.sendall(b"GET / HTTP/1.0\r\nHost: localhost\r\n\r\n")
            browser.recv(10)
            browser.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))  # reset at once
        others = [thread for thread in threading.enumerate() if "process_request" in thread.name]
        for thread in others:
            thread.join(10)
        assert ask(port, "/version")[0] == 200
    assert capfd.readouterr().err == ""


def test_it_listens_on_the_loopback_address_alone(folder: StudyFolder) -> None:
    with server(Site(folder, size(folder)), 0) as bound:
        assert bound.server_address[0] == "127.0.0.1"


def test_a_port_that_is_in_use(folder: StudyFolder) -> None:
    site = Site(folder, size(folder))
    with socket.socket() as other:
        other.bind((HOST, 0))
        other.listen()
        taken = other.getsockname()[1]
        with pytest.raises(
            StudyError, match=f"port {taken} is in use: choose another --port, or none for a free one"
        ):
            server(site, taken)
    with server(site, None) as first, server(site, None) as second:
        assert first.server_port != second.server_port


def test_a_study_that_cannot_be_read_is_said_and_tried_again(folder: StudyFolder) -> None:
    def make() -> str:
        if not folder.log.exists():
            raise StudyError("<no> such log")
        if folder.log.stat().st_size == 0:
            raise KeyError("head")
        return size(folder)()

    kept = folder.log.read_bytes()
    with serving_at(Site(folder, make)) as port:
        folder.log.unlink()
        status, text = ask(port)
        assert (status, "&lt;no&gt; such log" in text, "refresh" in text) == (503, True, True)
        folder.log.write_bytes(b"")
        assert "KeyError: &#x27;head&#x27;" in ask(port)[1]
        folder.log.write_bytes(kept)
        assert ask(port)[0] == 200


def test_serve_says_where_and_ends_with_ctrl_c(folder: StudyFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    def press(self: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("gru_tune.page.serve.ThreadingHTTPServer.serve_forever", press)
    said: list[str] = []
    serve(folder.path, None, said.append, size(folder))
    assert said[0].startswith(f"{folder.path} is shown at http://127.0.0.1:")
    assert said[1] == "no longer shown"
    builders.study(folder.path.parent / "other", trials=1)
    with pytest.raises(StudyError, match=r"--live shows one study: name its folder, such as .*other"):
        serve(folder.path.parent, None, said.append, size(folder))


def test_the_page_in_a_browser_follows_the_study(folder: StudyFolder, browser: Browser) -> None:
    def make() -> str:
        size = folder.log.stat().st_size
        body = f"<p id='size'>{size}</p><details><summary>more</summary>text</details><input><div style='height:5000px'></div>"
        return PAGE.format(body, SCRIPT.replace("3000; // milliseconds", "50; //"))

    page = browser.new_page()
    with serving_at(Site(folder, make)) as port:
        page.goto(f"http://{HOST}:{port}/")
        assert page.inner_text("#live").startswith("updated ")
        page.click("summary")
        page.evaluate("scrollTo(0, 1234)")
        grow(folder)
        page.wait_for_function(
            f"document.querySelector('#size').textContent === '{folder.log.stat().st_size}'"
        )
        page.wait_for_function("scrollY === 1234 && document.querySelector('details').open")
        page.focus("input")
        grow(folder)
        page.wait_for_function("document.querySelector('#live').textContent.endsWith('there is news')")
        page.evaluate("document.activeElement.blur()")
        page.wait_for_function(
            f"document.querySelector('#size').textContent === '{folder.log.stat().st_size}'"
        )
    page.wait_for_function("document.querySelector('#live').textContent.includes('the server is gone')")
    page.close()
