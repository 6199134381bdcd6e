"""A fleet whose services stand on copies of Microsoft's images, which follow when somebody copies them."""

from collections.abc import Mapping
from dataclasses import dataclass

from sandbox.fleets.fleet import ASPNET, RUNTIME_TAG, WEEKLY_REBUILD, SampleFleet
from sandbox.images import Image, Pushed

FOLDER = "mcr"
"""Where the registry keeps the copies."""
COPY = f"{FOLDER}/{ASPNET}"
ON_COPY, ON_COPY_BY_DIGEST, DIRECTLY = "orders-api", "payments-api", "catalog-web"


def mirrors_at(registry: str) -> Mapping[str, str]:
    """The copies in this registry, as the settings have them."""
    return {f"{registry}/{FOLDER}/dotnet/*": f"{registry}/dotnet/*"}


@dataclass(slots=True)
class MirroredFleet(SampleFleet):
    """Two services on the copy, one of them pinned by digest, and one that builds on Microsoft's image itself."""

    def __post_init__(self) -> None:
        SampleFleet.__post_init__(self)
        base = f"{ASPNET}:{RUNTIME_TAG}"
        self.built_on = {ON_COPY: base, DIRECTLY: base}

    @property
    def mirrors(self) -> Mapping[str, str]:
        """As the settings have it."""
        return mirrors_at(self.registry)

    async def build(self, version: str = "10.0.0") -> None:
        """As any sample fleet, with the copy in its place."""
        await self.publish_runtime(version)
        await self.copy()
        await SampleFleet.build(self, version)

    async def copy(self, image: Image | None = None) -> Pushed:
        """The mirror takes over what is published now; or what a cache of it still holds."""
        return await self.world.registry.push(COPY, RUNTIME_TAG, image or self.images[f"{ASPNET}:{RUNTIME_TAG}"])

    def repositories(self, version: str) -> Mapping[str, Mapping[str, str]]:
        copy, origin = f"{self.registry}/{COPY}", f"{self.registry}/{ASPNET}"
        pinned = self.digests[f"{ASPNET}:{RUNTIME_TAG}"]
        path = ".github/workflows/weekly-rebuild.yml"
        return {
            ON_COPY: {
                "Dockerfile": f"FROM {copy}:{RUNTIME_TAG}\nCOPY . /app\n",
                path: self._pushing(WEEKLY_REBUILD, ON_COPY),
            },
            ON_COPY_BY_DIGEST: {"Dockerfile": f"FROM {copy}:{RUNTIME_TAG}@{pinned}\nCOPY . /app\n"},
            DIRECTLY: {
                "Dockerfile": f"FROM {origin}:{RUNTIME_TAG}\nCOPY . /app\n",
                path: self._pushing(WEEKLY_REBUILD, DIRECTLY),
            },
        }
