import json
import lzma
import re
from typing import Any

import pytest

from bot.domain.failure import Failure
from bot.upstream.feeds import image_info
from bot.upstream.feeds.image_info import TagInventory
from tests.conftest import SHARED
from tests.unit.upstream.feeds.published import INVENTORIES, published

DIGEST = "sha256:" + "a" * 64
OTHER = "sha256:" + "b" * 64


def platform(*tags: object, **overrides: object) -> dict[str, object]:
    return {
        "dockerfile": "src/aspnet/8.0/alpine3.22/amd64/Dockerfile",
        "simpleTags": list(tags),
        "digest": f"mcr.microsoft.com/dotnet/aspnet@{DIGEST}",
        "osType": "Linux",
        "osVersion": "alpine3.22",
        "architecture": "amd64",
    } | overrides


def inventory(*shared: str, repository: str = "dotnet/aspnet", platforms: object = None) -> TagInventory:
    image = {
        "productVersion": "8.0.22",
        "manifest": {"digest": f"mcr.microsoft.com/{repository}@{OTHER}", "sharedTags": shared},
        "platforms": [platform("8.0-alpine-amd64")] if platforms is None else platforms,
    }
    return image_info.read(json.dumps({"repos": [{"repo": repository, "images": [image]}]}).encode())[0]


@pytest.mark.parametrize("name", INVENTORIES)
def test_every_published_tag_is_in_the_inventory(name: str) -> None:
    data = published(f"image-info-{name}.json")
    _, parsed = image_info.read(data)
    assert parsed.problems == ()
    lists = re.findall(r'"(sharedTags|simpleTags)": \[(.*?)\]', data.decode(), re.DOTALL)
    counts = {kind: sum(len(re.findall(r'"([^"]+)"', t)) for k, t in lists if k == kind) for kind, _ in lists}
    assert sum(entry.is_shared for entry in parsed.items) == counts["sharedTags"]
    assert sum(not entry.is_shared for entry in parsed.items) == counts["simpleTags"]
    assert parsed.entries == data.decode().count('"repo":')


def test_the_inventory_agrees_with_what_the_registry_served() -> None:
    """Observed at 2025-12-30: digests, platforms and layers of every live floating tag."""
    listed, _ = image_info.read(published(f"image-info-{INVENTORIES[1]}.json"))
    latest: dict[tuple[str, str], dict[str, Any]] = {}
    with lzma.open(SHARED / "observations-2023-2025.jsonl.xz", "rt") as lines:
        for observation in map(json.loads, lines):
            latest[observation["repository"], observation["tag"]] = observation
    assert len(latest) > 190
    for key, observation in latest.items():
        entry = listed.tags.get(key)
        assert (entry is not None) == (observation["digest"] is not None)
        if entry is not None:
            assert entry.index_digest == observation["digest"]
            assert {(p.platform, p.digest, tuple(layer[7:19] for layer in p.layers)) for p in entry.platforms} >= {
                (p["platform"], p["digest"], tuple(p["layers"])) for p in observation["platforms"]
            }


def test_two_published_inventories_a_fortnight_apart_withdraw_nothing() -> None:
    before, after = (image_info.read(published(f"image-info-{name}.json"))[0] for name in INVENTORIES)
    assert image_info.compared(before, after) == image_info.InventoryStep()


def test_a_shared_tag_has_an_index_and_a_simple_tag_one_platform() -> None:
    listed = inventory("8.0-alpine")
    shared, simple = (listed.tags["dotnet/aspnet", tag] for tag in ("8.0-alpine", "8.0-alpine-amd64"))
    assert (shared.index_digest, simple.index_digest) == (OTHER, None)
    assert simple.platforms[0].digest == DIGEST


def test_a_tag_that_is_no_longer_listed_is_withdrawn_and_may_return() -> None:
    before, after = inventory("8.0-alpine", "8.0-alpine-composite"), inventory("8.0-alpine")
    key = ("dotnet/aspnet", "8.0-alpine-composite")
    assert image_info.compared(before, after).withdrawn == {key}
    assert image_info.compared(after, before).returned == {key}


def test_nothing_is_withdrawn_from_a_repository_that_could_not_be_read_whole() -> None:
    before = inventory("8.0-alpine", "8.0-alpine-composite")
    after = inventory("8.0-alpine", platforms=[platform("8.0-alpine-amd64"), {"simpleTags": 5}])
    assert after.incomplete == {"dotnet/aspnet"}
    assert image_info.compared(before, after).withdrawn == frozenset()


def test_a_tag_that_is_none_is_named_and_the_others_stay() -> None:
    listed = inventory("8.0", "-bad", platforms=[platform("ok", 7)])
    assert {tag for _, tag in listed.tags} == {"8.0", "ok"}


def test_an_inventory_without_any_tag_is_a_failure() -> None:
    with pytest.raises(Failure, match="lists no image tag"):
        image_info.read(b'{"repos": []}')
