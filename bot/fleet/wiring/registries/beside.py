"""SBOMs and VEX documents beside images at their registries, with the rules of trust by which they are judged."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from bot.domain.bounded_gather import bounded_gather
from bot.domain.clock import Clock
from bot.domain.failure import Failure
from bot.domain.images.image import ProducedImage
from bot.domain.packages.package import ImagePlace, Sbom
from bot.domain.reference import Base
from bot.fleet.stage import Bot, Part
from bot.fleet.wiring.registries.trusted import trusted_by
from bot.images.sbom.collecting import judged_by, sboms_of
from bot.images.signatures.verdict import Remembered
from bot.images.trust.collecting import LookedOnce
from bot.images.trust.judging import Judge
from bot.images.vex.attached import AttachedVex, vex_of
from bot.images.vex.statements import VexStatement
from bot.settings.sections.trust import TrustSettings

BESIDE = Part(lambda bot: LookedOnce(bot.registry, bot.clock))
_AT_ONCE = 8
"""Images of which registries are asked at a time."""


@dataclass(frozen=True, slots=True)
class JudgedBeside:
    """Asks registries for what lies beside images; whom the rule for an image trusts may sign that too."""

    beside: LookedOnce
    trust: TrustSettings
    clock: Clock
    _remembered: Remembered = field(default_factory=Remembered)

    def judge(self, name: str) -> Judge:
        """Judges what is said about `registry/name`."""
        return judge_of(self.trust, name, self.clock.now(), self._remembered)


def judge_of(trust: TrustSettings, name: str, moment: datetime, remembered: Remembered) -> Judge:
    """Makes what judges statements about `registry/name` at one moment."""
    rule = trust.rule_for(name)
    trusted = trusted_by(trust, rule) if rule is not None and rule.trusts_statements else None
    return judged_by(trusted, moment, remembered)


@dataclass(frozen=True, slots=True)
class SbomsBeside(JudgedBeside):
    """The SBOMs that a registry shows for an image."""

    async def sboms(self, place: ImagePlace) -> Sequence[Sbom]:
        return await sboms_of(self.beside, place, self.judge(place.name))


@dataclass(frozen=True, slots=True)
class VexBeside(JudgedBeside):
    """The VEX documents that a registry shows for an image."""

    async def documents(self, place: Base, digests: Collection[str]) -> Sequence[AttachedVex]:
        """All that the registry shows for these digests. Raises `Failure` where it does not say."""
        return await vex_of(self.beside, place.registry, place.repository, digests, self.judge(place.name))

    async def signed_statements(
        self, questions: Sequence[tuple[ProducedImage, Collection[str]]]
    ) -> Mapping[int, Sequence[VexStatement] | Failure]:
        """Where no rule trusts anybody with statements about an image, nothing is asked; of images that show the
        same under one name, as several repositories may claim it, once."""
        places: dict[tuple[str, tuple[str, ...]], list[int]] = {}
        for image, digests in questions:
            rule = self.trust.rule_for(image.claim.name)
            if rule is not None and rule.trusts_statements:
                places.setdefault((image.claim.name, tuple(sorted(digests))), []).append(image.id)
        answers = await bounded_gather(_AT_ONCE, places, lambda place: self._statements_about(*place))
        answered_places = zip(places.values(), answers, strict=True)
        return {number: answer for numbers, answer in answered_places for number in numbers}

    async def _statements_about(self, name: str, digests: Sequence[str]) -> Sequence[VexStatement] | Failure:
        registry, _, repository = name.partition("/")
        try:
            documents = await self.documents(Base(registry, repository, "latest"), digests)
        except Failure as failure:
            return failure
        return [statement for each in documents if each.is_heeded for statement in each.statements]


def vex_beside(bot: Bot) -> VexBeside:
    """Opens registries for VEX documents, with the rules of trust by which these are judged."""
    return VexBeside(bot[BESIDE], bot.settings.trust, bot.clock)
