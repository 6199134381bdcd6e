"""Registries as they are asked for VEX documents, with the rules of trust by which these are judged."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from bot.domain.bounded_gather import bounded_gather
from bot.domain.failure import Failure
from bot.domain.images.image import ProducedImage
from bot.domain.reference import Base
from bot.fleet.bot import Bot
from bot.fleet.wiring.registries.beside import BESIDE, JudgedBeside
from bot.images.vex.attached import AttachedVex, vex_of
from bot.images.vex.statements import VexStatement

_AT_ONCE = 8
"""Images of which registries are asked at a time."""


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
