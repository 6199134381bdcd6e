"""A fleet whose services stand on golden images of their own organisation."""

from collections.abc import Mapping
from dataclasses import dataclass

from sandbox.fleets.fleet import ASPNET, RUNTIME_TAG, SDK, SDK_TAG, WEEKLY_REBUILD, SampleFleet

GOLDEN, GOLDEN_SDK = "golden-aspnet", "golden-sdk"
DIAMOND = "service-00"
"""Is built in the golden SDK and stands on the golden runtime."""


@dataclass(slots=True)
class GoldenFleet(SampleFleet):
    """Two golden images and so many services on them, each dispatched to be rebuilt."""

    services: int = 20

    def __post_init__(self) -> None:
        SampleFleet.__post_init__(self)
        owner = self.world.github.name
        self.built_on = {
            GOLDEN: f"{ASPNET}:{RUNTIME_TAG}",
            GOLDEN_SDK: f"{SDK}:{SDK_TAG}",
            **dict.fromkeys(self.names, f"{owner}/{GOLDEN}:latest"),
        }

    @property
    def names(self) -> list[str]:
        """Of the services; the first is the diamond."""
        return [f"service-{number:02}" for number in range(self.services)]

    def own(self, name: str) -> str:
        """The image that a repository pushes."""
        return f"{self.registry}/{self.world.github.name}/{name}"

    def repositories(self, version: str) -> Mapping[str, Mapping[str, str]]:
        aspnet, sdk = f"{self.registry}/{ASPNET}:{RUNTIME_TAG}", f"{self.registry}/{SDK}:{SDK_TAG}"
        texts = {
            GOLDEN: f"FROM {aspnet}\nRUN update-ca-certificates\n",
            GOLDEN_SDK: f"FROM {sdk}\nRUN dotnet tool install lint\n",
            **dict.fromkeys(self.names, f"FROM {self.own(GOLDEN)}:latest\nCOPY . /app\n"),
            DIAMOND: (
                f"FROM {self.own(GOLDEN_SDK)}:latest AS build\nRUN dotnet publish -o /app\n\n"
                f"FROM {self.own(GOLDEN)}:latest\nCOPY --from=build /app /app\n"
            ),
        }
        path = ".github/workflows/weekly-rebuild.yml"
        return {
            name: {"Dockerfile": text, path: self._pushing(WEEKLY_REBUILD, name)} for name, text in texts.items()
        }
