import json
from datetime import UTC, datetime

import pytest

from bot.domain.bases.image import OCI_INDEX, Config, Descriptor, Manifest, digest_of
from bot.domain.clock import ManualClock
from bot.domain.failure import Failure, Trouble
from bot.domain.reference import Base
from bot.fleet.watch.registry.index import ObservedPlatform
from bot.fleet.watch.registry.observe import declared_version, observation, read
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
