"""CNCF Distribution on loopback, behind an edge that counts requests, asks for credentials and fails on request."""

import asyncio
import base64
import secrets
import shutil
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlencode

import yaml
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from sandbox.edges.edge import Edge, Surroundings
from sandbox.edges.serving import Server
from sandbox.images import OCI, Image, Pushed, attach, fallback_tag, push, put_beside
from sandbox.programs import parts, processes


class RegistryEdge(Edge):
    """Anonymous unless `require_login` was called: then pulls need a bearer token, as in Docker's specification."""

    service = "registry"

    def __init__(self, upstream: str, surroundings: Surroundings, server: Server) -> None:
        super().__init__(upstream, surroundings)
        self._server = server
        self._login: tuple[str, str] | None = None
        self._tokens: set[str] = set()
        self._page: int | None = None
        self.routes.add("GET", "/token", self._token)
        self.routes.add("GET", "/v2/{repository:path}/referrers/{digest}", self._referrers)

    def serve_referrers(self, page: int = 100) -> None:
        """From now on the referrers API answers, `page` descriptors at a time."""
        self._page = page

    def require_login(self, username: str, password: str) -> None:
        self._login = (username, password)

    async def answer(self, request: Request) -> Response:
        if self._login and request.url.path.startswith("/v2/") and not self._is_known(request):
            return self._challenge(request)
        return await super().answer(request)

    def _is_known(self, request: Request) -> bool:
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        return scheme.lower() == "bearer" and token in self._tokens

    def _challenge(self, request: Request) -> Response:
        repository = request.url.path.removeprefix("/v2/").rpartition("/")[0].rpartition("/")[0]
        scope = f',scope="repository:{repository}:pull"' if repository else ""
        challenge = f'Bearer realm="{self._server.url}/token",service="sandbox"{scope}'
        body = {"errors": [{"code": "UNAUTHORIZED", "message": "authentication required"}]}
        return JSONResponse(body, 401, {"www-authenticate": challenge})

    async def _referrers(self, request: Request, repository: str, digest: str) -> Response:
        """What the fallback tag lists, as the referrers API of OCI distribution 1.1 gives it."""
        if self._page is None:
            return await self.forward(request)
        tag = f"/v2/{repository}/manifests/{fallback_tag(digest)}"
        stored = await self.ask("GET", tag, headers=[("accept", OCI.index)])
        listed = stored.json()["manifests"] if stored.status_code == 200 else []
        wanted = request.query_params.get("artifactType")
        found = [entry for entry in listed if wanted is None or entry.get("artifactType") == wanted]
        start = int(request.query_params.get("last", 0))
        headers = {"oci-filters-applied": "artifactType"} if wanted else {}
        if len(found) > start + self._page:
            more = urlencode({**({"artifactType": wanted} if wanted else {}), "last": start + self._page})
            headers["link"] = f'<{request.url.path}?{more}>; rel="next"'
        page = {"schemaVersion": 2, "mediaType": OCI.index, "manifests": found[start : start + self._page]}
        return JSONResponse(page, headers=headers, media_type=OCI.index)

    async def _token(self, request: Request) -> Response:
        assert self._login is not None
        scheme, _, credentials = request.headers.get("authorization", "").partition(" ")
        expected = base64.b64encode(":".join(self._login).encode()).decode()
        if scheme.lower() != "basic" or not secrets.compare_digest(credentials, expected):
            return JSONResponse({"errors": [{"code": "UNAUTHORIZED", "message": "wrong credentials"}]}, 401)
        token = secrets.token_urlsafe(24)
        self._tokens.add(token)
        return JSONResponse({"token": token, "expires_in": 300})


class Registry:
    """`host` is what references name; pushes of the world itself go to the registry directly, uncounted."""

    def __init__(self, folder: Path, surroundings: Surroundings) -> None:
        self._folder = folder
        self._surroundings = surroundings
        self._server = Server()
        self._child: processes.Child | None = None
        self._port = 0
        self.edge: RegistryEdge | None = None

    def __getstate__(self) -> dict[str, object]:
        """A copy has no program yet."""
        return {**self.__dict__, "_child": None}

    @property
    def host(self) -> str:
        return self._server.host

    @property
    def _storage(self) -> Path:
        return self._folder / "registry"

    async def start(self) -> None:
        """Raises `parts.MissingPart` or `processes.DidNotStart`."""
        parts.require("docker-registry")

        def command(port: int) -> list[str | Path]:
            config = self._folder / "registry.yaml"
            config.write_text(yaml.safe_dump(_config(self._storage, port)))
            return ["docker-registry", "serve", config]

        log = self._folder / "registry.log"
        self._child, self._port = await processes.start_on_free_port(command, log, "listening on")
        upstream = f"http://127.0.0.1:{self._port}"
        if self.edge is None:
            self.edge = RegistryEdge(upstream, self._surroundings, self._server)
        self.edge.upstream = upstream
        self._server.start(self.edge.app())

    def pause(self) -> None:
        """Ends, and keeps the port for the next `start`."""
        self._server.pause()
        if self._child is not None:
            self._child.stop()

    def stop(self) -> None:
        self.pause()
        self._server.stop()

    def keep(self, path: Path) -> None:
        """Puts down there what is stored now."""
        shutil.copytree(self._storage, path)

    def take_up(self, path: Path, folder: Path) -> None:
        """Stores in another folder from now on what was put down there. Before `start`."""
        self._folder = folder
        shutil.copytree(path, self._storage)

    def require_login(self, username: str, password: str) -> None:
        """From now on only those who know the password may read."""
        assert self.edge is not None, "the registry is not running"
        self.edge.require_login(username, password)

    async def push(self, repository: str, tag: str, image: Image, *, single: bool = False) -> Pushed:
        """Puts `image` under `repository:tag`; the answer names it by `host`."""
        return await asyncio.to_thread(self.push_now, repository, tag, image, single=single)

    def push_now(self, repository: str, tag: str, image: Image, *, single: bool = False) -> Pushed:
        """The same for who waits for it."""
        pushed = push(f"localhost:{self._port}", repository, tag, image, single=single)
        return Pushed(f"{self.host}/{repository}:{tag}", pushed.digest, pushed.platforms)

    async def attach(
        self,
        repository: str,
        digest: str,
        artifact_type: str,
        annotations: Mapping[str, str],
        *content: tuple[str, bytes],
    ) -> str:
        """Attaches an artifact to what has that digest, empty unless its `content` is given; answers its own."""
        direct = f"localhost:{self._port}"
        return await asyncio.to_thread(attach, direct, repository, digest, artifact_type, annotations, *content)

    async def put_beside(
        self, repository: str, digest: str, suffix: str, *layers: tuple[str, bytes, Mapping[str, str]]
    ) -> str:
        """Puts what cosign keeps in its older layout beside what has that digest; answers its own."""
        return await asyncio.to_thread(put_beside, f"localhost:{self._port}", repository, digest, suffix, *layers)

    def stored(self, digest: str) -> Path:
        """The file in which the registry keeps a blob or manifest."""
        value = digest.removeprefix("sha256:")
        blobs = self._storage / "docker" / "registry" / "v2" / "blobs" / "sha256"
        return blobs / value[:2] / value / "data"


def _config(storage: Path, port: int) -> dict[str, object]:
    return {
        "version": 0.1,
        "log": {"level": "info", "accesslog": {"disabled": True}},
        "storage": {"filesystem": {"rootdirectory": str(storage)}, "delete": {"enabled": True}},
        "http": {"addr": f"127.0.0.1:{port}", "secret": secrets.token_hex(16)},
    }
