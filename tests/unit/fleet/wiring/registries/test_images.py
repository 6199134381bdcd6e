"""What an image says of itself, read from its registry."""

import json
from collections.abc import Collection, Mapping
from typing import Any, cast

from bot.domain.bases.image import OCI_MANIFEST, digest_of
from bot.domain.clock import ManualClock
from bot.domain.failure import Trouble
from bot.domain.images.image import SeenImage, declared_of
from bot.domain.images.named_bases import NamedBases
from bot.domain.images.standing import Basis, Declaration, Publication
from bot.domain.reference import Base
from bot.fleet.wiring.registries.images import SOURCE, RegistryImages
from bot.images.standing.declared import BASE_NAME
from bot.images.trust.collecting import LookedOnce
from tests.builders import ASPNET, NOON, SDK
from tests.fakes.registry import FakeRegistry, failure

SHOP = Base("ghcr.io", "contoso/shop", "latest")


class Kept:
    """Nothing is kept, and each base shows what the registry's tag does."""

    def __init__(self, registry: FakeRegistry) -> None:
        self._registry = registry

    async def manifests(self, digests: Collection[str]) -> Mapping[str, bytes]:
        return {}

    async def shown_digests(self, some: Collection[Base]) -> dict[Base, str]:
        return {base: self._registry.shown[base] for base in some if base in self._registry.shown}


class World:
    def __init__(self) -> None:
        self.registry = FakeRegistry()

    def keep(self, document: Any) -> dict[str, Any]:
        body = json.dumps(document).encode()
        self.registry.documents[digest_of(body)] = body
        return {"mediaType": OCI_MANIFEST, "digest": digest_of(body), "size": len(body)}

    def push(self, place: Base, labels: dict[str, str], materials: list[dict[str, Any]] | None = None) -> str:
        config = self.keep({"os": "linux", "architecture": "amd64", "config": {"Labels": labels}})
        manifest = self.keep({"schemaVersion": 2, "mediaType": OCI_MANIFEST, "config": config, "layers": []})
        entries = [{**manifest, "platform": {"os": "linux", "architecture": "amd64"}}]
        if materials is not None:
            entries.append(self.attestation(manifest["digest"], materials))
        self.registry.shown[place] = str(self.keep({"schemaVersion": 2, "manifests": entries})["digest"])
        return self.registry.shown[place]

    def attestation(self, about: str, materials: list[dict[str, Any]]) -> dict[str, Any]:
        kind = "https://slsa.dev/provenance/v0.2"
        statement = {"_type": "https://in-toto.io/Statement/v0.1", "subject": [], "predicateType": kind}
        blob = self.keep({**statement, "predicate": {"materials": materials}})
        layer = {**blob, "mediaType": "application/vnd.in-toto+json"}
        layer["annotations"] = {"in-toto.io/predicate-type": kind}
        manifest = self.keep({"schemaVersion": 2, "config": self.keep({}), "layers": [layer]})
        return {
            **manifest,
            "platform": {"os": "unknown", "architecture": "unknown"},
            "annotations": {
                "vnd.docker.reference.type": "attestation-manifest",
                "vnd.docker.reference.digest": about,
            },
        }

    async def read(self, digest: str, *expected: Base, below: tuple[Publication, ...] = ()) -> SeenImage:
        """`below` are the publications that the image's layers are seen to stand on."""
        kept = cast(Any, Kept(self.registry))
        clock, registry = ManualClock(NOON), cast(Any, self.registry)
        return await RegistryImages(registry, LookedOnce(registry, clock), kept, kept, clock).read(
            SHOP, digest, NamedBases(expected, expected), lambda _: below
        )

    def publication(self, digest: str) -> Publication:
        """Of the only platform of an index that the base showed."""
        [platform] = json.loads(self.registry.documents[digest])["manifests"]
        return Publication(ASPNET, NOON, digest, "linux/amd64", platform["digest"])


def material(base: Base, digest: str) -> dict[str, Any]:
    return {"uri": f"pkg:docker/{base.name}@{base.tag}", "digest": {"sha256": digest.removeprefix("sha256:")}}


async def test_buildkits_provenance_names_the_base_among_the_images_of_a_build() -> None:
    world = World()
    aspnet, sdk = "sha256:" + "a" * 64, "sha256:" + "b" * 64
    digest = world.push(SHOP, {}, [material(SDK, sdk), material(ASPNET, aspnet)])
    seen = await world.read(digest, ASPNET)
    named = Declaration(Basis.UNSIGNED_PROVENANCE, str(ASPNET), frozenset({aspnet}))
    assert seen.declared == {"linux/amd64": (named,)}


async def test_labels_of_the_base_are_not_the_images_own() -> None:
    world = World()
    inherited = {BASE_NAME: "ubuntu:24.04", SOURCE: "https://github.com/dotnet/dotnet-docker"}
    world.push(ASPNET, inherited)
    seen = await world.read(world.push(SHOP, inherited), ASPNET)
    assert (seen.declared, seen.sourced_from) == ({"linux/amd64": ()}, None)
    own = {**inherited, BASE_NAME: str(ASPNET), SOURCE: "https://github.com/contoso/shop.git"}
    seen = await world.read(world.push(SHOP, own), ASPNET)
    assert [said.named for said in seen.declared["linux/amd64"]] == [str(ASPNET)]
    assert seen.sourced_from == "contoso/shop"


async def test_labels_of_what_its_base_showed_when_it_was_built_are_not_the_images_own_either() -> None:
    """A base of our own names another base, and maybe another source, with each of its builds."""
    world = World()
    before = {BASE_NAME: "ubuntu:22.04", SOURCE: "https://github.com/contoso/base-images"}
    publication = world.publication(world.push(ASPNET, before))
    world.push(ASPNET, {BASE_NAME: "ubuntu:24.04", SOURCE: "https://github.com/contoso/golden"})
    seen = await world.read(world.push(SHOP, before), ASPNET, below=(publication,))
    assert (seen.declared, seen.sourced_from) == ({"linux/amd64": ()}, None)
    assert publication.platform_digest in seen.fetched


async def test_a_publication_that_is_gone_takes_no_label_away() -> None:
    world = World()
    gone = Publication(ASPNET, NOON, "sha256:" + "e" * 64, "linux/amd64", "sha256:" + "f" * 64)
    world.registry.troubles[gone.platform_digest] = failure(Trouble.MISSING)
    seen = await world.read(world.push(SHOP, {BASE_NAME: str(ASPNET)}), ASPNET, below=(gone,))
    assert [said.named for said in seen.declared["linux/amd64"]] == [str(ASPNET)]


async def test_of_many_publications_that_an_image_may_stand_on_no_more_than_four_are_read() -> None:
    """A base may have shown the same layers with each of its builds."""
    world = World()
    before = {BASE_NAME: str(ASPNET)}
    below = tuple(world.publication(world.push(ASPNET, {**before, "build": str(number)})) for number in range(9))
    seen = await world.read(world.push(SHOP, before), below=below)
    assert len({each.platform_digest for each in below} & seen.fetched.keys()) == 4


async def test_an_image_without_such_labels_costs_no_look_at_what_its_base_showed_before() -> None:
    world = World()
    publication = world.publication(world.push(ASPNET, {}))
    seen = await world.read(world.push(SHOP, {"maintainer": "us"}), below=(publication,))
    assert publication.platform_digest not in seen.fetched


async def test_a_broken_attestation_says_nothing() -> None:
    world = World()
    digest = world.push(SHOP, {}, [{"uri": 7}])
    assert (await world.read(digest, ASPNET)).declared == {"linux/amd64": ()}


async def test_each_of_several_images_of_one_platform_says_its_own() -> None:
    world = World()
    bases = (ASPNET, SDK)
    images = [json.loads(world.registry.documents[world.push(SHOP, {BASE_NAME: str(base)})]) for base in bases]
    entries = [entry for image in images for entry in image["manifests"]]
    digest = str(world.keep({"schemaVersion": 2, "manifests": entries})["digest"])
    seen = await world.read(digest)
    said = [[each.named for each in declared_of(image, seen.declared)] for image in seen.platforms]
    assert said == [[str(ASPNET)], [str(SDK)]]


async def test_what_of_an_image_was_not_judged_is_told() -> None:
    world = World()
    index = json.loads(world.registry.documents[world.push(SHOP, {})])
    index["manifests"].append({**index["manifests"][0], "platform": {"os": "windows", "architecture": "amd64"}})
    seen = await world.read(str(world.keep(index)["digest"]))
    assert [each.name for each in seen.not_judged] == ["windows/amd64"]
