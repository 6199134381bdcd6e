"""Registries as they are asked for VEX documents, with the rules of trust by which these are judged."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from bot.domain.images.image import ProducedImage
from bot.domain.reference import Base
from bot.service.wiring.registries.beside import JudgedBeside
from bot.verify.attached_vex import AttachedVex, vex_of
from bot.verify.vex import VexStatement


@dataclass(frozen=True, slots=True)
class VexBeside(JudgedBeside):
    """The VEX documents that a registry shows for an image."""

    async def documents(self, place: Base, digests: Collection[str]) -> Sequence[AttachedVex]:
        """All that the registry shows for these digests. Raises `Failure` where it does not say."""
        return await vex_of(self.beside, place.registry, place.repository, digests, self.judge(place.name))

    async def signed_statements(self, image: ProducedImage, digests: Collection[str]) -> Sequence[VexStatement]:
        """Where no rule trusts anybody with statements about the image, nothing is asked."""
        rule = self.trust.rule_for(image.claim.name)
        if rule is None or not rule.trusts_statements:
            return ()
        registry, _, repository = image.claim.name.partition("/")
        found = await self.documents(Base(registry, repository, "latest"), sorted(digests))
        return [statement for each in found if each.is_heeded for statement in each.statements]
