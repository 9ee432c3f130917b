"""A small hub on this computer: the few addresses of Hugging Face that a download asks for."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import unquote, urlsplit

COMMIT = "5" * 40


class Hub(ThreadingHTTPServer):
    """Serves each folder in `root`/OWNER/NAME as a model; `gated` ones ask for consent."""

    daemon_threads = True

    def __init__(self, root: Path) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.root = root
        self.gated: set[str] = set()
        self.served: list[str] = []  # files whose content was asked for, with the first byte wanted
        self.mends = True  # a connection is lost only once
        self.breaks_at: dict[str, int] = {}  # file -> byte at which the connection is lost

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


@contextmanager
def running(root: Path) -> Iterator[Hub]:
    hub = Hub(root)
    thread = threading.Thread(target=hub.serve_forever, daemon=True)
    thread.start()
    try:
        yield hub
    finally:
        hub.shutdown()
        hub.server_close()
        thread.join()


class _Handler(BaseHTTPRequestHandler):
    server: Hub
    protocol_version = "HTTP/1.1"

    def log_message(self, *_args: object) -> None:
        """Silence."""

    def do_HEAD(self) -> None:
        self._answer(content=False)

    def do_GET(self) -> None:
        self._answer(content=True)

    def _answer(self, content: bool) -> None:
        path = [unquote(part) for part in urlsplit(self.path).path.strip("/").split("/")]
        if path[:2] == ["api", "models"]:
            self._tell(path[2:])
        else:
            self._send_file("/".join(path[:2]), "/".join(path[4:]), content)

    def _tell(self, path: list[str]) -> None:
        name = "/".join(path[:2])
        if not self._check(name):
            return None
        files = sorted(path for path in (self.server.root / name).rglob("*") if path.is_file())
        folder = self.server.root / name
        listed = [(file.relative_to(folder).as_posix(), file.stat().st_size, _digest(file)) for file in files]
        if path[2:3] == ["tree"]:
            entries = [{"type": "file", "path": file, "size": size, "oid": oid} for file, size, oid in listed]
            return self._send_json(entries)
        siblings = [{"rfilename": file, "size": size, "blobId": oid} for file, size, oid in listed]
        return self._send_json({"id": name, "modelId": name, "sha": COMMIT, "siblings": siblings, "tags": []})

    def _check(self, name: str) -> bool:
        if name in self.server.gated:
            self._refuse(403, "GatedRepo")
        elif not (self.server.root / name).is_dir():
            self._refuse(401, "RepoNotFound")
        else:
            return True
        return False

    def _send_file(self, name: str, file: str, content: bool) -> None:
        if not self._check(name):
            return
        path = self.server.root / name / file
        if not path.is_file():
            self._refuse(404, "EntryNotFound")
            return
        data, start = path.read_bytes(), 0
        if (wanted := self.headers.get("Range")) is not None:
            start = int(wanted.removeprefix("bytes=").split("-")[0])
        self.send_response(206 if start else 200)
        self.send_header("X-Repo-Commit", COMMIT)
        self.send_header("ETag", f'"{_digest(path)}"')
        self.send_header("Content-Length", str(len(data) - start))
        if start:
            self.send_header("Content-Range", f"bytes {start}-{len(data) - 1}/{len(data)}")
        self.end_headers()
        if content:
            self.server.served.append(f"{file}@{start}")
            end = self.server.breaks_at.get(file, len(data))
            self.wfile.write(data[start:end])
            self.close_connection = end < len(data)
            if start < end and self.server.mends:
                self.server.breaks_at.pop(file, None)

    def _refuse(self, status: int, code: str) -> None:
        self.send_response(status)
        self.send_header("X-Error-Code", code)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def _send_json(self, data: object) -> None:
        body = json.dumps(data).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def _digest(path: Path) -> str:
    return hashlib.sha1(path.read_bytes()).hexdigest()
