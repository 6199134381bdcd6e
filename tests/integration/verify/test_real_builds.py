"""What real tools build: BuildKit's provenance, buildah's annotations, recompressed and squashed layers."""

import gzip
import json
import os
import shutil
import subprocess
import tarfile
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from pathlib import Path
from typing import Any, cast

import pytest
from backports import zstd

from bot.clients.http.client import Http
from bot.clients.registry import Registry, RegistryAccess, host_rules
from bot.domain.clock import ManualClock
from bot.domain.evidence import Strength
from bot.domain.images.image import SeenImage
from bot.domain.images.named_bases import NamedBases
from bot.domain.images.standing import Basis, ImageStanding
from bot.domain.packages.package import ImagePlace, SbomOrigin
from bot.domain.reference import Base
from bot.fleet.verify.images.confirming import confirm
from bot.fleet.watch.registry.observe import read
from bot.fleet.wiring.registries.images import RegistryImages
from bot.images.packages.layers.inflate import is_zstd
from bot.images.sbom.collecting import judged_by, sboms_of
from bot.images.signatures.verdict import Remembered
from bot.images.standing.observed_layers import ObservedLayers
from bot.images.trust.collecting import LookedOnce
from sandbox.images import Pushed, dotnet_image
from tests.builders import NOON
from tests.docker_engine import Docker, engine
from tests.integration.verify.conftest import Kept, NothingKept
from tests.unit.images.standing.world import stands

pytestmark = pytest.mark.long

PLATFORM = "linux/amd64"


@dataclass
class Shop:
    """A registry with a base in it, and a folder with a Dockerfile on that base."""

    kept: Kept
    folder: Path
    shown: Pushed

    @property
    def host(self) -> str:
        return self.kept.registry.host

    @property
    def base(self) -> Base:
        return Base(self.host, "dotnet/aspnet", "10.0")

    def name(self, tag: str) -> str:
        return f"{self.host}/contoso/shop:{tag}"

    @cached_property
    def context(self) -> Path:
        folder = self.folder / "shop"
        folder.mkdir()
        (folder / "Dockerfile").write_text(f"FROM {self.base}\nCOPY Dockerfile /app/shop\n")
        return folder

    def buildah(self, *words: object) -> None:
        places = ("--root", self.folder / "root", "--runroot", self.folder / "run")
        command = ["buildah", *places, "--storage-driver", "vfs", *words]
        self.run(*command)

    def run(self, *command: object) -> None:
        environment = {**os.environ, "HOME": str(self.folder)}
        ended = subprocess.run(
            [str(word) for word in command],
            env=environment,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert ended.returncode == 0, ended.stderr[-2000:]

    @asynccontextmanager
    async def asked(self) -> AsyncIterator[Registry]:
        clock, accesses = ManualClock(NOON), [RegistryAccess(self.host, insecure=True)]
        async with Http(clock, host_rules(accesses)) as http:
            yield Registry(http, accesses, clock)

    async def look(self, tag: str) -> tuple[ImageStanding, SeenImage]:
        """What the image under a tag stands on, given what its base has shown."""
        clock, kept = ManualClock(NOON), cast(Any, NothingKept())
        async with self.asked() as registry:
            below = await read(registry, kept, self.base, self.shown.digest)
            place = Base(self.host, "contoso/shop", tag)
            digest = (await registry.head(place)).digest
            images = RegistryImages(registry, LookedOnce(registry, clock), kept, kept, clock)
            seen = await images.read(place, digest, NamedBases((self.base,), (self.base,)))
            observed = ObservedLayers([below.observation(self.base, NOON)])
            await confirm(place, seen.platforms, observed, images, [self.base])
        [platform] = [each for each in seen.platforms if each.platform == PLATFORM]
        return stands(platform, observed, seen.declared[PLATFORM], expected=[self.base]), seen


@pytest.fixture(scope="module")
def shop(kept: Kept, tmp_path_factory: pytest.TempPathFactory) -> Shop:
    shown = kept.registry.push_now("dotnet/aspnet", "10.0", dotnet_image("aspnet", "10.0.1"))
    return Shop(kept, tmp_path_factory.mktemp("builds"), shown)


@pytest.fixture(scope="module")
def docker() -> Iterator[Docker]:
    with engine(attests=True) as started:
        yield started


@pytest.fixture(scope="module")
def by_buildah(shop: Shop) -> Shop:
    for program in ("buildah", "netavark"):
        if shutil.which(program, path=f"{os.environ['PATH']}:/usr/lib/podman") is None:
            pytest.skip(f"{program} is missing: apt-get install {program}")
    build = ("build", "--network", "host", "--tls-verify=false", "--isolation", "chroot")
    for tag, more in (("buildah", ()), ("squashed", ("--squash",))):
        shop.buildah(*build, *more, "-t", shop.name(tag), shop.context)
        shop.buildah("push", "--tls-verify=false", shop.name(tag))
    return shop


def proved(standing: ImageStanding, shop: Shop) -> bool:
    """Whether layers prove that it stands on what the base shows."""
    [publication] = standing.publications
    stands_there = (publication.base, publication.digest) == (shop.base, shop.shown.digest)
    return stands_there and (standing.strength, standing.basis) == (Strength.PROVED, Basis.LAYERS)


async def test_what_buildx_builds_is_proved_by_its_layers_and_its_provenance_names_the_index(
    shop: Shop, docker: Docker
) -> None:
    attests = "--provenance=mode=max"
    docker.run("buildx", "build", "--pull", attests, "-t", shop.name("buildx"), "--push", shop.context)
    standing, seen = await shop.look("buildx")
    assert proved(standing, shop)
    assert not standing.disagreement
    [said] = seen.declared[PLATFORM]
    assert (said.basis, said.digests) == (Basis.UNSIGNED_PROVENANCE, frozenset({shop.shown.digest}))
    assert [each.platform for each in seen.platforms] == [PLATFORM]


def make_scanner(docker: Docker, folder: Path) -> str:
    """A generator of SBOMs as BuildKit calls them: it lists each file of an image's /app as a package."""
    script = r"""#!/bin/sh
for file in "$BUILDKIT_SCAN_SOURCE"/app/*; do
    name="${file##*/}"
    listed="$listed${listed:+,}{\"SPDXID\":\"SPDXRef-$name\",\"name\":\"$name\",\"versionInfo\":\"1.0\"}"
done
said='"_type":"https://in-toto.io/Statement/v0.1","predicateType":"https://spdx.dev/Document"'
echo "{$said,\"predicate\":{\"spdxVersion\":\"SPDX-2.3\",\"packages\":[$listed]}}" \
    > "$BUILDKIT_SCAN_DESTINATION/sbom.spdx.json"
"""
    root = folder / "scanner"
    loaded = subprocess.run(["ldd", "/bin/sh"], capture_output=True, text=True, check=True).stdout
    libraries = [word for word in loaded.split() if word.startswith("/")]
    for program in ("/bin/sh", *libraries):
        (root / program[1:]).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(program, root / program[1:])
    (root / "scan").write_text(script)
    (root / "scan").chmod(0o755)
    with tarfile.open(folder / "scanner.tar", "w") as packed:
        packed.add(root, "/")
    docker.run("import", "--change", 'ENTRYPOINT ["/scan"]', folder / "scanner.tar", "localhost:1/scanner:1")
    return "localhost:1/scanner:1"


@pytest.fixture(scope="module")
def by_scanner(shop: Shop, tmp_path_factory: pytest.TempPathFactory) -> Shop:
    """`named` and `unnamed`: BuildKit lets a statement be about nothing where the build gives its image no name."""
    folder = tmp_path_factory.mktemp("scanned")
    (folder / "Dockerfile").write_text("FROM scratch\nCOPY till shop /app/\n")
    for name in ("till", "shop"):
        (folder / name).touch()
    tags = {"named": ("-t", shop.name("named")), "unnamed": ()}
    with engine(attests=True, alone=True) as docker:
        attests = (f"--sbom=generator={make_scanner(docker, folder)}", "--provenance=mode=max")
        for tag, named in tags.items():
            docker.run("buildx", "build", *attests, *named, "--output", f"type=oci,dest={folder}/{tag}", folder)
    for tag in tags:
        copy = ("skopeo", "copy", "--all", "--preserve-digests", "--dest-tls-verify=false")
        shop.run(*copy, f"oci-archive:{folder}/{tag}", f"docker://{shop.name(tag)}")
    return shop


@pytest.mark.parametrize("tag", ["named", "unnamed"])
async def test_the_sbom_that_buildx_has_made_of_a_build_is_claimed(tag: str, by_scanner: Shop) -> None:
    _, seen = await by_scanner.look(tag)
    async with by_scanner.asked() as registry:
        index = (await registry.head(Base(by_scanner.host, "contoso/shop", tag))).digest
        place = ImagePlace(by_scanner.host, "contoso/shop", seen.platforms[0].digest, index)
        [sbom] = await sboms_of(registry, place, judged_by(None, NOON, Remembered()))
    assert (sbom.origin, sbom.strength, sbom.inventory.problems) == (SbomOrigin.BUILDKIT, Strength.CLAIMED, ())
    assert sorted(each.name for each in sbom.inventory.packages) == ["shop", "till"]
    assert index != place.digest


async def test_an_image_that_was_exported_and_imported_tells_nothing(shop: Shop, docker: Docker) -> None:
    docker.run("buildx", "build", "--provenance=false", "-t", "flat", "--load", shop.context)
    container = docker.run("create", "flat", "/app/shop").stdout.strip()
    docker.run("export", "-o", shop.folder / "flat.tar", container)
    docker.run("import", shop.folder / "flat.tar", shop.name("flat"))
    docker.run("push", shop.name("flat"))
    standing, _ = await shop.look("flat")
    assert (standing.strength, standing.publications) == (Strength.UNKNOWN, ())


async def test_what_buildah_builds_is_proved_by_its_layers_and_its_annotation_names_the_platform(
    by_buildah: Shop,
) -> None:
    standing, seen = await by_buildah.look("buildah")
    assert proved(standing, by_buildah)
    assert not standing.disagreement
    [said] = seen.declared[PLATFORM]
    named = (Basis.ANNOTATION, str(by_buildah.base), frozenset({by_buildah.shown.platforms[PLATFORM]}))
    assert (said.basis, said.named, said.digests) == named


async def test_a_squashed_image_is_claimed_by_its_annotation_and_not_decided_by_layers(by_buildah: Shop) -> None:
    standing, seen = await by_buildah.look("squashed")
    assert len(seen.platforms[0].layers) == 1
    assert (standing.strength, standing.basis) == (Strength.CLAIMED, Basis.ANNOTATION)
    assert standing.told(NOON).endswith("claimed by its annotation")


@pytest.mark.parametrize("pack", [zstd.compress, lambda layer: gzip.compress(layer, 1)], ids=["zstd", "gzip"])
async def test_recompressed_layers_are_proved_by_what_they_unpack_to(
    pack: Callable[[bytes], bytes], by_buildah: Shop, tmp_path: Path
) -> None:
    layout = f"oci:{tmp_path / 'layout'}:1"
    by_buildah.run("skopeo", "copy", "--src-tls-verify=false", f"docker://{by_buildah.name('buildah')}", layout)
    recompress(tmp_path / "layout", pack)
    target = f"docker://{by_buildah.name('packed')}"
    by_buildah.run("skopeo", "copy", "--preserve-digests", "--dest-tls-verify=false", layout, target)
    standing, seen = await by_buildah.look("packed")
    before, [image] = (await by_buildah.look("buildah"))[1].platforms[0], seen.platforms
    assert image.diff_ids == before.diff_ids
    assert not set(image.layers) & set(before.layers)
    assert proved(standing, by_buildah)


def recompress(layout: Path, pack: Callable[[bytes], bytes]) -> None:
    """Packs all layers of the one image in an OCI layout anew."""
    blobs, listed = layout / "blobs" / "sha256", json.loads((layout / "index.json").read_bytes())

    def keep(descriptor: dict[str, Any], content: bytes) -> None:
        name = sha256(content).hexdigest()
        (blobs / name).write_bytes(content)
        descriptor |= {"digest": f"sha256:{name}", "size": len(content)}

    def kept(descriptor: dict[str, Any]) -> bytes:
        return (blobs / descriptor["digest"].removeprefix("sha256:")).read_bytes()

    [described] = listed["manifests"]
    manifest = json.loads(kept(described))
    for layer in manifest["layers"]:
        packed = pack(gzip.decompress(kept(layer)))
        kind = "zstd" if is_zstd(packed) else "gzip"
        layer["mediaType"] = f"application/vnd.oci.image.layer.v1.tar+{kind}"
        keep(layer, packed)
    keep(described, json.dumps(manifest).encode())
    (layout / "index.json").write_text(json.dumps(listed))
