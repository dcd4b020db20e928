"""A hub of our own on this machine: the few calls of its protocol that push and pull make.

Repositories live in memory. Files that are `LARGE` go by LFS, as on the hub: their content in one
request and their sum in the commit; the others lie in the commit itself.
"""

from __future__ import annotations

import base64
import hashlib
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import unquote, urlsplit

import pytest

LARGE = (".safetensors", ".wav", ".flac")


@dataclass
class Repository:
    """Branches, and what each commit has: name -> content."""

    private: bool
    branches: dict[str, str]
    commits: dict[str, dict[str, bytes]] = field(default_factory=dict)


class Hub(ThreadingHTTPServer):
    """The server; `repositories` is "models/USER/NAME" -> what it has.

    Attributes:
        requests: method and path of each request that came.
        damaged: the file of this name comes with another last byte.
        token: without it nobody sees anything; "" lets everybody in.
    """

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Calls)
        self.repositories: dict[str, Repository] = {}
        self.large: dict[str, bytes] = {}
        self.requests: list[str] = []
        self.damaged = ""
        self.token = ""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def make(self, repo: str, files: dict[str, bytes], *, private: bool = False) -> str:
        """Puts a repository there as somebody else might have; returns its commit."""
        found = self.repositories.setdefault(repo, Repository(private, {}))
        return commit(found, "main", files)

    def files(self, repo: str, revision: str = "main") -> dict[str, bytes]:
        found = self.repositories[repo]
        return found.commits[found.branches[revision]]


def commit(repository: Repository, branch: str, files: dict[str, bytes]) -> str:
    story = repr((len(repository.commits), sorted(files.items()))).encode()
    made = hashlib.sha1(story).hexdigest()
    repository.commits[made] = files
    repository.branches[branch] = made
    return made


class Calls(BaseHTTPRequestHandler):
    """One request."""

    server: Hub
    protocol_version = "HTTP/1.1"

    def log_message(self, *_: object) -> None:
        pass

    def do_GET(self) -> None:
        self.answer()

    def do_HEAD(self) -> None:
        self.answer()

    def do_POST(self) -> None:
        self.answer()

    def do_PUT(self) -> None:
        self.answer()

    def answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        path = unquote(urlsplit(self.path).path)
        self.server.requests.append(f"{self.command} {path}")
        token = self.headers.get("Authorization", "").removeprefix("Bearer ")
        parts = path.strip("/").split("/")
        signed = parts[0] == "large"  # its address lets one in
        if self.server.token and token != self.server.token and not signed:
            return self.refuse(401, "RepoNotFound")
        if parts[:3] == ["api", "repos", "create"]:
            return self.create(json.loads(body))
        if parts[:2] == ["api", "validate-yaml"]:
            return self.send({"errors": [], "warnings": []})
        if parts[0] == "large":
            self.server.large[parts[1]] = body
            return self.send({})
        if parts[-3:] == ["lfs", "objects", "batch"]:
            return self.large_files(json.loads(body))
        kind, *parts = parts[1:] if parts[0] == "api" else self.of_model(parts)
        repo = "/".join((kind, *parts[:2]))
        if repo not in self.server.repositories:
            return self.refuse(404, "RepoNotFound")
        return self.in_repository(self.server.repositories[repo], parts[2:], body)

    @staticmethod
    def of_model(parts: list[str]) -> list[str]:
        return parts if parts[0] == "datasets" else ["models", *parts]

    def create(self, said: dict[str, object]) -> None:
        repo = f"{said.get('type') or 'model'}s/{said.get('organization')}/{said['name']}"
        url = {"url": f"{self.server.url}/{repo.removeprefix('models/')}"}
        if repo in self.server.repositories:
            return self.send(url, status=409)
        private = said.get("visibility") == "private" or bool(said.get("private"))
        made = self.server.repositories[repo] = Repository(private, {})
        commit(made, "main", {".gitattributes": b""})
        return self.send(url)

    def in_repository(self, repository: Repository, parts: list[str], body: bytes) -> None:
        what, revision = (parts or ["revision"])[0], "/".join(parts[1:]) or "main"
        if what == "preupload":
            return self.modes(json.loads(body))
        if what == "branch":
            repository.branches.setdefault(revision, repository.branches["main"])
            return self.send({})
        if what == "commit":
            return self.commit(repository, revision, body)
        if what == "resolve":
            revision, name = parts[1], "/".join(parts[2:])
        sha = repository.branches.get(revision, revision)
        if sha not in repository.commits:
            return self.refuse(404, "RevisionNotFound")
        files = repository.commits[sha]
        if what == "revision":
            return self.send({"id": "a/b", "sha": sha, "private": repository.private, "tags": [],
                              "siblings": [listed(*item) for item in files.items()]})  # fmt: skip
        if name not in files:
            return self.refuse(404, "EntryNotFound")
        content = files[name]
        etag = hashlib.sha256(content).hexdigest()
        headers = {"X-Repo-Commit": sha, "ETag": f'"{etag}"'}
        if name == self.server.damaged and self.command == "GET":
            content = content[:-1] + b"?"
        return self.send(content, headers=headers)

    def modes(self, said: dict[str, list[dict[str, str]]]) -> None:
        files = [
            {"path": file["path"], "shouldIgnore": False,
             "uploadMode": "lfs" if file["path"].endswith(LARGE) else "regular"}
            for file in said["files"]
        ]  # fmt: skip
        return self.send({"files": files})

    def large_files(self, said: dict[str, list[dict[str, object]]]) -> None:
        objects = [
            {**one, "actions": {"upload": {"href": f"{self.server.url}/large/{one['oid']}"}}}
            for one in said["objects"]
        ]
        return self.send({"transfer": "basic", "objects": objects})

    def commit(self, repository: Repository, branch: str, body: bytes) -> None:
        files = dict(repository.commits[repository.branches[branch]])
        for line in map(json.loads, body.splitlines()):
            value = line["value"]
            if line["key"] == "header":
                if value.get("parentCommit") != repository.branches[branch]:
                    return self.refuse(412, "")
            elif line["key"] == "file":
                files[value["path"]] = base64.b64decode(value["content"])
            elif line["key"] == "lfsFile":
                files[value["path"]] = self.server.large[value["oid"]]
            elif line["key"] == "deletedFile":
                del files[value["path"]]
        made = commit(repository, branch, files)
        url = f"{self.server.url}/a/b/commit/{made}"
        return self.send({"commitUrl": url, "commitOid": made, "success": True})

    def refuse(self, status: int, code: str) -> None:
        self.send({"error": code}, status=status, headers={"X-Error-Code": code})

    def send(
        self, content: object, *, status: int = 200, headers: dict[str, str] | None = None
    ) -> None:
        data = content if isinstance(content, bytes) else json.dumps(content).encode()
        self.send_response(status)
        for name, value in {"Content-Length": str(len(data)), **(headers or {})}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(data)


def listed(name: str, content: bytes) -> dict[str, object]:
    sums = {"rfilename": name, "size": len(content), "blobId": hashlib.sha1(content).hexdigest()}
    if name.endswith(LARGE):
        sums["lfs"] = {
            "sha256": hashlib.sha256(content).hexdigest(), "size": len(content), "pointerSize": 1,
        }  # fmt: skip
    return sums


@contextmanager
def running_hub() -> Iterator[Hub]:
    with Hub() as hub:
        thread = threading.Thread(target=hub.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        try:
            yield hub
        finally:
            hub.shutdown()
            thread.join()


def ask(patch: pytest.MonkeyPatch, hub: Hub, cache: object) -> None:
    """This process asks that hub, and keeps what it gets in a cache of its own."""
    for name in ("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE", "HF_TOKEN"):
        patch.delenv(name, raising=False)
    patch.setenv("HF_HUB_CACHE", str(cache))
    for name, value in (
        ("HF_HUB_OFFLINE", False), ("ENDPOINT", hub.url), ("HF_HUB_DISABLE_XET", True),
        ("HF_TOKEN_PATH", f"{cache}/token"), ("HF_HUB_CACHE", str(cache)),
        ("HUGGINGFACE_CO_URL_TEMPLATE", hub.url + "/{repo_id}/resolve/{revision}/{filename}"),
    ):  # fmt: skip
        patch.setattr(f"huggingface_hub.constants.{name}", value)
