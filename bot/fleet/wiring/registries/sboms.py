"""Registries as they are asked for SBOMs, with the rules of trust by which these are judged."""

from collections.abc import Sequence
from dataclasses import dataclass

from bot.domain.packages.sbom import ImagePlace, Sbom
from bot.fleet.wiring.registries.beside import JudgedBeside
from bot.images.sbom.collecting import sboms_of


@dataclass(frozen=True, slots=True)
class SbomsBeside(JudgedBeside):
    """The SBOMs that a registry shows for an image."""

    async def sboms(self, place: ImagePlace) -> Sequence[Sbom]:
        return await sboms_of(self.beside, place, self.judge(place.name))
