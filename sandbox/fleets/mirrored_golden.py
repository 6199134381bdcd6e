"""A fleet whose golden runtime stands on a copy of Microsoft's image: a fix passes all that may lie between."""

from collections.abc import Mapping
from dataclasses import dataclass

from sandbox.fleets.fleet import ASPNET, RUNTIME_TAG
from sandbox.fleets.golden import GOLDEN, GoldenFleet
from sandbox.fleets.mirrored import COPY, mirrors_at
from sandbox.images import Pushed


@dataclass(slots=True)
class MirroredGoldenFleet(GoldenFleet):
    """Microsoft publishes, somebody copies, the golden image is built on the copy, services on the golden image."""

    def __post_init__(self) -> None:
        GoldenFleet.__post_init__(self)
        self.built_on[GOLDEN] = f"{COPY}:{RUNTIME_TAG}"

    @property
    def mirrors(self) -> Mapping[str, str]:
        """As the settings have it."""
        return mirrors_at(self.registry)

    async def build(self, version: str = "10.0.0") -> None:
        await self.publish_runtime(version)
        await self.copy()
        await GoldenFleet.build(self, version)

    async def copy(self) -> Pushed:
        """The mirror takes over what is published now."""
        image = self.images[f"{COPY}:{RUNTIME_TAG}"] = self.images[f"{ASPNET}:{RUNTIME_TAG}"]
        return await self.world.registry.push(COPY, RUNTIME_TAG, image)

    def repositories(self, version: str) -> Mapping[str, Mapping[str, str]]:
        texts = GoldenFleet.repositories(self, version)
        dockerfile = f"FROM {self.registry}/{COPY}:{RUNTIME_TAG}\nRUN update-ca-certificates\n"
        return {**texts, GOLDEN: {**texts[GOLDEN], "Dockerfile": dockerfile}}
