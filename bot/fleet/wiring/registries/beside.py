"""What lies beside images at their registries, with the rules of trust by which it is judged."""

from dataclasses import dataclass, field
from datetime import datetime

from bot.domain.clock import Clock
from bot.fleet.bot import Part
from bot.fleet.wiring.registries.trusted import trusted_by
from bot.images.sbom.collecting import judged_by
from bot.images.signatures.remembered import Remembered
from bot.images.trust.judging import Judge
from bot.images.trust.looked_once import LookedOnce
from bot.settings.sections.trust import TrustSettings


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


BESIDE = Part(lambda bot: LookedOnce(bot.registry, bot.clock))
