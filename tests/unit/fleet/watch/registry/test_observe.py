import json
import lzma
import re
from collections import Counter
from datetime import UTC, datetime

import pytest

from bot.domain.bases.image import OCI_INDEX, Config, Descriptor, Manifest, digest_of
from bot.domain.clock import ManualClock
from bot.domain.failure import Failure, Trouble
from bot.domain.reference import Base
from bot.fleet.watch.registry.index import ObservedPlatform
from bot.fleet.watch.registry.observe import declared_version, distribution, observation, read
from tests.conftest import SHARED
from tests.fakes.registry import FakeRegistry
from tests.fakes.stores.watch import FakeWatchStore

NOW = datetime(2025, 11, 20, 9, 0, tzinfo=UTC)
BASE = Base("mcr.microsoft.com", "dotnet/aspnet", "10.0-noble-chiseled")
LAYERS = (digest_of(b"os"), digest_of(b"runtime"))
UNPACKED = (digest_of(b"os unpacked"), digest_of(b"runtime unpacked"))


def platform(name: str, created: str | None = None, **env: str) -> ObservedPlatform:
    manifest = Manifest(Descriptor("c", digest_of(b"config"), 1), LAYERS)
    return ObservedPlatform(name, digest_of(name.encode()), manifest, Config(name, created, env, diff_ids=UNPACKED))


@pytest.mark.parametrize(
    ("env", "version"),
    [
        ({"DOTNET_SDK_VERSION": "10.0.100", "ASPNET_VERSION": "10.0.0", "DOTNET_VERSION": "10.0.0"}, "10.0.100"),
        ({"ASPNET_VERSION": "10.0.1", "DOTNET_VERSION": "10.0.0"}, "10.0.1"),
        ({"DOTNET_VERSION": "10.0.0"}, "10.0.0"),
        ({"DOTNET_VERSION": "10.0.0-preview.7.25380.108"}, "10.0.0-preview.7.25380.108"),
        ({"DOTNET_VERSION": ""}, None),
        ({"DOTNET_VERSION": "10.0\n<!channel>"}, None),
        ({"DOTNET_VERSION": f"10.0.0-{'9' * 48}"}, "10.0.0-" + "9" * 48),
        ({"DOTNET_VERSION": f"123456789.123456789.0-{'9' * 48}"}, None),
        ({"PATH": "/usr/bin"}, None),
    ],
)
def test_the_outermost_part_says_the_version(env: dict[str, str], version: str | None) -> None:
    assert declared_version(Config("linux/amd64", env=env)) == version


def test_an_observation_holds_each_platform_with_its_layers_bottom_first() -> None:
    platforms = [platform("linux/amd64"), platform("linux/arm/v7")]
    seen = observation(BASE, digest_of(b"index"), platforms, NOW)
    assert [image.platform for image in seen.platforms] == ["linux/amd64", "linux/arm/v7"]
    assert seen.platforms[0].layers == LAYERS
    assert seen.platforms[0].short_layers == tuple(layer.removeprefix("sha256:")[:12] for layer in LAYERS)
    assert seen.platforms[0].diff_ids == UNPACKED
    assert {image.os for image in seen.platforms} == {"noble-chiseled"}
    assert (seen.base, seen.digest, seen.at) == (BASE, digest_of(b"index"), NOW)


def test_an_observation_was_created_with_its_youngest_platform() -> None:
    platforms = [platform("a/b", "2025-11-11T18:00:00Z"), platform("a/c"), platform("a/d", "2025-11-11T19:00:00Z")]
    assert observation(BASE, "d", platforms, NOW).created == "2025-11-11T19:00:00Z"


@pytest.mark.parametrize(
    ("older", "younger"),
    [
        ("2025-11-11T20:30:00+02:00", "2025-11-11T18:45:00Z"),
        ("2025-11-11T18:45:00Z", "2025-11-11T18:45:00.123456789Z"),
        ("2025-02-30T18:45:00Z", "2025-01-01T00:00:00Z"),
    ],
)
def test_the_youngest_platform_is_told_by_instants(older: str, younger: str) -> None:
    for order in ((older, younger), (younger, older)):
        platforms = [platform(f"a/{number}", created) for number, created in enumerate(order)]
        assert observation(BASE, "d", platforms, NOW).created == younger


def test_the_first_platform_that_declares_a_version_gives_it() -> None:
    platforms = [
        platform("a/b"),
        platform("a/c", DOTNET_VERSION="10.0.1"),
        platform("a/d", DOTNET_VERSION="10.0.0"),
    ]
    assert observation(BASE, "d", platforms, NOW).version == "10.0.1"


async def test_what_is_kept_is_not_fetched() -> None:
    registry, store = FakeRegistry(), FakeWatchStore([], ManualClock(NOW))
    digest = registry.push(BASE, content="x", platforms=["linux/amd64", "linux/arm64"])
    reading = await read(registry, store, BASE, digest)
    assert len(reading.fetched) == 5
    store.kept.update(reading.fetched)
    registry.asked.clear()
    again = await read(registry, store, BASE, digest)
    assert (again.fetched, again.platforms) == ({}, reading.platforms)
    assert not registry.asked


async def test_a_trouble_with_one_document_is_the_trouble_of_the_whole() -> None:
    registry = FakeRegistry()
    digest = registry.push(BASE, content="x", platforms=["linux/amd64", "linux/arm64"])
    for document in list(registry.documents)[1:2]:
        registry.troubles[document] = Failure(Trouble.MISSING, "is not there")
    with pytest.raises(Failure, match="is not there"):
        await read(registry, FakeWatchStore([], ManualClock(NOW)), BASE, digest)


async def test_where_no_entry_names_its_platform_the_configs_tell() -> None:
    registry = FakeRegistry()
    named = registry.push(BASE, content="x", platforms=["linux/amd64", "linux/arm64"])
    index = json.loads(registry.documents[named])
    attestation = {"annotations": {"vnd.docker.reference.type": "attestation-manifest"}}
    index["manifests"] = [
        *({key: value for key, value in entry.items() if key != "platform"} for entry in index["manifests"]),
        {**index["manifests"][0], "platform": None, "digest": digest_of(b"nowhere"), **attestation},
        {"mediaType": OCI_INDEX, "digest": digest_of(b"nested"), "size": 1},
    ]
    body = json.dumps(index).encode()
    registry.documents[digest_of(body)] = body
    reading = await read(registry, FakeWatchStore([], ManualClock(NOW)), BASE, digest_of(body))
    assert [each.name for each in reading.platforms] == ["linux/amd64", "linux/arm64"]
    assert [each.digest for each in reading.platforms] == [entry["digest"] for entry in index["manifests"][:2]]


async def test_an_index_in_an_image_place_is_one_clear_line() -> None:
    registry = FakeRegistry()
    inner = registry.push(BASE, content="x")
    entry = {"mediaType": "m", "digest": inner, "size": 1, "platform": {"os": "linux", "architecture": "amd64"}}
    outer = json.dumps({"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": [entry]}).encode()
    registry.documents[digest_of(outer)] = outer
    with pytest.raises(Failure, match="lists an index as its image for linux/amd64"):
        await read(registry, FakeWatchStore([], ManualClock(NOW)), BASE, digest_of(outer))


UBUNTU = {"org.opencontainers.image.ref.name": "ubuntu", "org.opencontainers.image.version": "24.04"}
ALPINE = ("ADD alpine-minirootfs-3.22.1-x86_64.tar.gz / # buildkit", 'CMD ["/bin/sh"]')
FAMILY_ALONE = re.compile("alpine|cbl-mariner(-distroless)?")
DEBIAN = ("# debian.sh --arch 'amd64' out/ 'bookworm' '@1733702400'",)


@pytest.mark.parametrize(
    ("tag", "system"),
    [
        ("10.0-noble", "noble"),
        ("10.0.4-1-noble-chiseled-extra", "noble-chiseled"),
        ("8.0-bookworm-slim-arm64v8", "bookworm-slim"),
        ("8.0-alpine3.22-composite", "alpine3.22"),
        ("8.0-azurelinux3.0-distroless-extra", "azurelinux3.0-distroless"),
        ("8.0-cbl-mariner2.0", "cbl-mariner2.0"),
        ("10.0-nanoserver-ltsc2025", "nanoserver-ltsc2025"),
    ],
)
def test_a_tag_that_names_a_release_says_it(tag: str, system: str) -> None:
    assert distribution(tag, {}, ()) == system


def test_a_name_of_the_base_says_it() -> None:
    labels = {"org.opencontainers.image.base.name": "docker.io/library/debian:bookworm-slim"}
    assert distribution("8.0", labels, ()) == "bookworm-slim"


def test_ubuntus_labels_say_it() -> None:
    assert distribution("10.0", UBUNTU, ()) == "noble"
    assert distribution("latest", {**UBUNTU, "org.opencontainers.image.version": "99.04"}, ()) == "ubuntu99.04"


def test_the_first_step_says_it() -> None:
    assert distribution("8.0-alpine", {}, ALPINE) == "alpine3.22"
    assert distribution("8.0", {}, DEBIAN) == "bookworm"


def test_a_tag_that_names_a_family_is_better_than_nothing() -> None:
    assert distribution("8.0-alpine", {}, ()) == "alpine"
    assert distribution("8.0-cbl-mariner-distroless", {}, ()) == "cbl-mariner-distroless"


@pytest.mark.parametrize(
    "labels",
    [
        {"org.opencontainers.image.base.name": "Not A Reference"},
        {"org.opencontainers.image.base.name": "scratch"},
        {"org.opencontainers.image.ref.name": "ubuntu", "org.opencontainers.image.version": "../../"},
    ],
)
def test_what_tells_nothing_is_unknown(labels: dict[str, str]) -> None:
    assert distribution("latest", labels, ("RUN make",)) is None


@pytest.mark.skipif(not SHARED.exists(), reason=f"the public history is not at {SHARED}")
def test_three_years_of_tags_that_name_a_release_are_read_as_the_inventory_has_them() -> None:
    differing: Counter[tuple[str, str | None, str]] = Counter()
    compared = 0
    with lzma.open(SHARED / "observations-2023-2025.jsonl.xz", "rt") as lines:
        for row in map(json.loads, lines):
            found = distribution(row["tag"], {}, ())
            if found is None or FAMILY_ALONE.fullmatch(found):
                continue
            for platform in row.get("platforms", ()):
                compared += 1
                if found != platform["os"]:
                    differing[row["tag"], found, platform["os"]] += 1
    # Two tags stood on another system than they said, for as long as Microsoft took to notice.
    assert set(differing) == {
        ("8.0-preview-alpine3.17-composite", "alpine3.17", "alpine3.18"),
        ("9.0-preview-azurelinux3.0", "azurelinux3.0", "noble-chiseled"),
    }
    assert compared > 20_000
