"""Registries as they are asked for VEX documents, with the rules of trust by which these are judged."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

from bot.domain.clock import Clock
from bot.domain.images.image import ProducedImage
from bot.domain.reference import Base
from bot.service.wiring.registries.sboms import judge_of
from bot.settings.sections.trust import TrustSettings
from bot.verify.attached_vex import AttachedVex, vex_of
from bot.verify.signatures.remembered import Remembered
from bot.verify.trust.looked_once import LookedOnce
from bot.verify.vex import VexStatement


@dataclass(frozen=True, slots=True)
class VexBeside:
    """Whom the rule for an image trusts may say of it what does not affect it."""

    beside: LookedOnce
    trust: TrustSettings
    clock: Clock
    _remembered: Remembered = field(default_factory=Remembered)

    async def documents(self, place: Base, digests: Collection[str]) -> Sequence[AttachedVex]:
        """All that the registry shows for these digests. Raises `Failure` where it does not say."""
        judge = judge_of(self.trust, place.name, self.clock.now(), self._remembered)
        return await vex_of(self.beside, place.registry, place.repository, digests, judge)

    async def signed_statements(self, image: ProducedImage, digests: Collection[str]) -> Sequence[VexStatement]:
        """Where no rule trusts anybody with statements about the image, nothing is asked."""
        rule = self.trust.rule_for(image.claim.name)
        if rule is None or not rule.trusts_statements:
            return ()
        registry, _, repository = image.claim.name.partition("/")
        found = await self.documents(Base(registry, repository, "latest"), sorted(digests))
        return [statement for each in found if each.is_heeded for statement in each.statements]
