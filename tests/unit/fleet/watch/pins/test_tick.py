"""Digests that are pinned are read once each, by one of their images."""

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest

from bot.domain.bases.image import OCI_INDEX, digest_of
from bot.domain.bases.observation import Observation
from bot.domain.clock import ManualClock
from bot.domain.failure import Failure, Trouble
from bot.domain.reference import Base
from bot.fleet.watch.pins.reading import read_one_image
from bot.fleet.watch.pins.tick import UnreadPin, tick
from bot.reconcile.loop import Loop
from tests.fakes.queue import FakeQueue
from tests.fakes.registry import FakeRegistry

NOON = datetime(2026, 3, 10, 12, 0, tzinfo=UTC)
BASE = Base("mcr.microsoft.com", "dotnet/aspnet", "10.0")
SEVERAL = ("linux/arm64", "linux/amd64", "windows/amd64")


async def read(registry: FakeRegistry, digest: str) -> Observation:
    return await read_one_image(registry, BASE, digest, ManualClock(NOON))


async def test_of_an_index_one_image_is_read_by_three_requests() -> None:
    registry = FakeRegistry()
    digest = registry.push(BASE, content="x", version="10.0.2", platforms=SEVERAL)
    image = await read(registry, digest)
    assert (image.digest, image.version) == (digest, "10.0.2")
    assert [each.platform for each in image.platforms] == ["linux/amd64"]
    assert dict(registry.asked) == {"manifest": 2, "config": 1}


async def test_of_an_image_two_requests_tell() -> None:
    registry = FakeRegistry()
    index = json.loads(registry.documents[registry.push(BASE, content="x", version="10.0.2")])
    image = await read(registry, index["manifests"][0]["digest"])
    assert (image.version, image.platforms[0].platform) == ("10.0.2", "linux/amd64")
    assert dict(registry.asked) == {"manifest": 1, "config": 1}


async def test_an_index_without_images_tells_nothing() -> None:
    registry = FakeRegistry()
    empty = registry.keep({"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": []})
    with pytest.raises(Failure, match="lists no image"):
        await read(registry, empty)


@dataclass
class Store:
    pins: FakeQueue[UnreadPin] = field(default_factory=FakeQueue)
    found: int = 0
    images: dict[int, Observation] = field(default_factory=dict)

    async def find_pins(self) -> None:
        self.found += 1

    async def save_pin(self, pin: UnreadPin, image: Observation) -> None:
        self.pins.settle(pin.id, NOON + timedelta(days=9))
        self.images[pin.id] = image


async def test_one_that_cannot_be_read_is_put_off_and_hinders_no_other() -> None:
    registry, store = FakeRegistry(), Store()
    digests = [registry.push(content="x"), digest_of(b"gone"), registry.push(content="y")]
    for number, digest in enumerate(digests, start=1):
        store.pins.add(UnreadPin(number, BASE.registry, BASE.repository, digest), NOON, id=number)
    tally = await tick(store, registry, Loop(ManualClock(NOON)))
    assert (tally.read, sorted(store.images)) == (2, [1, 3])
    assert "is not there" in str(store.pins.rows[2].error)
    assert store.pins.rows[2].due_at > NOON


async def test_a_registry_that_does_not_answer_is_left_alone() -> None:
    registry, store = FakeRegistry(), Store()
    registry.troubles[BASE.registry] = Failure(Trouble.THROTTLED, "asks for less")
    for number in range(1, 30):
        store.pins.add(
            UnreadPin(number, BASE.registry, BASE.repository, digest_of(bytes([number]))), NOON, id=number
        )
    await tick(store, registry, Loop(ManualClock(NOON)))
    assert registry.asked["manifest"] < 29
