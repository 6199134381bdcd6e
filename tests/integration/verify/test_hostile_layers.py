"""Layers made to harm, over a real registry: bounded time and memory, one clear line, and the rest is read."""

import gzip
import hashlib
import io
import json
import sqlite3
import tarfile
import time
import tracemalloc
from collections.abc import Callable, Mapping

import httpx
import pytest
from backports import zstd

from bot.clients.http.client import Http
from bot.clients.registry import Registry, RegistryAccess, host_rules
from bot.commands.images.registry_image import RegistryBlobs
from bot.domain.bases.image import read_document
from bot.domain.clock import ManualClock
from bot.domain.packages.package import Inventory
from bot.images.packages.image import read_image
from sandbox.edges.edge import PATIENCE
from tests.builders import NOON
from tests.integration.verify.conftest import Kept

MIB = 1024 * 1024
STATUS = "var/lib/dpkg/status"
RPM = "var/lib/rpm/rpmdb.sqlite"
GZIP = "application/vnd.oci.image.layer.v1.tar+gzip"
HONEST = b"Package: libssl3t64\nStatus: install ok installed\nVersion: 3.0.13\nArchitecture: amd64\n\n"


def tar(files: Mapping[str, bytes] | None = None, *others: tarfile.TarInfo) -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        for info in others:
            archive.addfile(info)
        for name, data in (files or {}).items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return packed.getvalue()


def entry(name: str, kind: bytes = tarfile.REGTYPE, *, size: int = 0, target: str = "") -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type, info.size, info.linkname = kind, size, target
    return info


def bomb(pack: Callable[[bytes], bytes]) -> bytes:
    """One file of 2 GiB of zeros, in a packed member for every 16 MiB of it."""
    return pack(entry("zeros", size=2048 * MIB).tobuf()) + pack(bytes(16 * MIB)) * 128


def database(*statements: str, page_size: int = 4096) -> bytes:
    with sqlite3.connect(":memory:") as made:
        made.execute(f"PRAGMA page_size = {page_size}")
        for statement in statements:
            made.execute(statement)
        return made.serialize()


TABLE = "CREATE TABLE Packages (hnum INTEGER PRIMARY KEY AUTOINCREMENT, blob BLOB NOT NULL)"
LYING_HEADER = "INSERT INTO Packages (blob) VALUES (x'7fffffff7fffffff000003e8000000060000000000000001')"
BOMBING_VIEW = (
    "CREATE VIEW Packages AS WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) "
    "SELECT i AS hnum, zeroblob(1000000) AS blob FROM n"
)
LAYERS: dict[str, tuple[Callable[[], bytes], str]] = {
    "gzip bomb": (lambda: bomb(gzip.compress), "times its size"),
    "zstd bomb": (lambda: bomb(zstd.compress), "times its size"),
    "name that leads out": (lambda: tar({"../../" + STATUS: HONEST}), "leads"),
    "link out": (lambda: tar(None, entry(STATUS, tarfile.SYMTYPE, target="/etc/shadow")), "link"),
    "cut short": (lambda: gzip.compress(tar({"a": bytes(range(256)) * 99}))[:-40], "cut short"),
    "chisel manifest of 2 GiB": (
        lambda: tar({"var/lib/chisel/manifest.wall": zstd.compress(bytes(MIB)) * 2048}),
        "manifest",
    ),
    "lengths that lie": (lambda: tar({RPM: database(TABLE, LYING_HEADER)}), "rpm"),
    "view in place of a table": (lambda: tar({RPM: database(BOMBING_VIEW)}), "rpm"),
    "pages of no size": (lambda: tar({RPM: database(TABLE)[:16] + b"\xff\xff" + database(TABLE)[18:]}), "page"),
    "no database": (lambda: tar({RPM: b"SQLite format 3\0" + bytes(90_000)}), "rpm"),
}


def push(kept: Kept, name: str, *layers: bytes) -> str:
    """An image of these layers, the bottom one first; answers its digest."""
    host = kept.registry.host
    with httpx.Client(base_url=f"http://{host}/v2/{name}", timeout=PATIENCE) as client:

        def put(blob: bytes) -> dict[str, object]:
            digest = f"sha256:{hashlib.sha256(blob).hexdigest()}"
            begun = client.post("/blobs/uploads/")
            begun.raise_for_status()
            place = httpx.URL(begun.headers["location"]).copy_merge_params({"digest": digest})
            client.put(place, content=blob).raise_for_status()
            return {"mediaType": GZIP, "digest": digest, "size": len(blob)}

        config = put(json.dumps({"os": "linux", "architecture": "amd64"}).encode())
        manifest = {
            "schemaVersion": 2,
            "mediaType": "application/vnd.oci.image.manifest.v1+json",
            "config": {**config, "mediaType": "application/vnd.oci.image.config.v1+json"},
            "layers": [put(layer) for layer in layers],
        }
        headers = {"content-type": str(manifest["mediaType"])}
        answer = client.put("/manifests/1", content=json.dumps(manifest), headers=headers)
        answer.raise_for_status()
    return str(answer.headers["docker-content-digest"])


async def read(kept: Kept, name: str, digest: str) -> Inventory:
    clock, accesses = ManualClock(NOON), [RegistryAccess(kept.registry.host, insecure=True)]
    async with Http(clock, host_rules(accesses)) as http:
        blobs = RegistryBlobs(Registry(http, accesses, clock), kept.registry.host, name)
        return await read_image(read_document(await blobs.document(digest), name), blobs)


@pytest.mark.parametrize("kind", LAYERS)
async def test_it_is_refused_in_one_line_and_the_layers_below_are_read(kept: Kept, kind: str) -> None:
    made, told = LAYERS[kind]
    name = f"hostile/{kind.replace(' ', '-').lower()}"
    digest = push(kept, name, gzip.compress(tar({STATUS: HONEST})), made())
    tracemalloc.start()
    begun = time.process_time()
    found = await read(kept, name, digest)
    took, peak = time.process_time() - begun, tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    if kind != "link out":
        assert [each.name for each in found.packages] == ["libssl3t64"]
    [problem] = found.problems
    assert told in problem
    assert len(problem.splitlines()) == 1
    assert (took < 5, peak < 100 * MIB) == (True, True)


async def test_bytes_that_are_not_what_the_digest_names_are_not_believed(kept: Kept) -> None:
    honest, other = (
        gzip.compress(tar({STATUS: HONEST.replace(b"3.0.13", each)})) for each in (b"3.0.13", b"3.0.99")
    )
    digest = push(kept, "hostile/spoilt", gzip.compress(tar({"a": b"a"})), honest)
    kept.registry.stored(f"sha256:{hashlib.sha256(honest).hexdigest()}").write_bytes(other)
    found = await read(kept, "hostile/spoilt", digest)
    assert found.packages == ()
    assert "digest" in found.problems[0]


async def test_triggers_of_a_database_are_not_run(kept: Kept) -> None:
    trigger = "CREATE TRIGGER t AFTER INSERT ON Packages BEGIN DELETE FROM Packages; END"
    layer = gzip.compress(tar({RPM: database(TABLE, trigger)}))
    digest = push(kept, "hostile/trigger", layer)
    assert (await read(kept, "hostile/trigger", digest)).packages == ()
