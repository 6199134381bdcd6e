"""Registries as they are asked for SBOMs, with the rules of trust by which these are judged."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from bot.domain.clock import Clock
from bot.domain.packages.sbom import ImagePlace, Sbom
from bot.service.wiring.registries.trust import trusted_by
from bot.settings.sections.trust import TrustSettings
from bot.verify.sbom.collecting import Judge, judged_by, sboms_of
from bot.verify.signatures.remembered import Remembered
from bot.verify.trust.looked_once import LookedOnce


@dataclass(frozen=True, slots=True)
class Sboms:
    """Whom the rule for an image trusts may sign its SBOMs too."""

    beside: LookedOnce
    trust: TrustSettings
    clock: Clock
    _remembered: Remembered = field(default_factory=Remembered)

    async def sboms(self, place: ImagePlace) -> Sequence[Sbom]:
        judge = judge_of(self.trust, place.name, self.clock.now(), self._remembered)
        return await sboms_of(self.beside, place, judge)


def judge_of(trust: TrustSettings, name: str, at: datetime, remembered: Remembered) -> Judge:
    """Judges statements about `registry/name`."""
    rule = trust.rule_for(name)
    trusted = trusted_by(rule) if rule is not None and rule.trusts_statements else None
    return judged_by(trusted, at, remembered)
