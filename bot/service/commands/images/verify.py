"""One image, judged by the settings: whether it is trusted, and whether it stands on what its base shows now."""

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from bot.clients.http import Http
from bot.clients.registry import Registry
from bot.domain.clock import Clock
from bot.domain.evidence import Strength
from bot.domain.failure import Failure, Trouble
from bot.domain.images.builder import Builder
from bot.domain.images.image import behind_since
from bot.domain.images.standing import Standing
from bot.domain.images.trust import Trust, TrustMode
from bot.domain.reference import Base, InvalidReference, Reference
from bot.service.wiring.grants import http_rules
from bot.service.wiring.opened_stores import opened_stores
from bot.service.wiring.registries.accesses import accesses_of_caller
from bot.service.wiring.registries.images import Images
from bot.service.wiring.registries.trust import Trusting
from bot.settings import Settings
from bot.verify.images.confirming import confirm
from bot.verify.images.stage import Observed
from bot.verify.standing.deciding import standing_of
from bot.verify.trust.looked_once import LookedOnce

_HOLDS, _DOES_NOT_HOLD, _CANNOT_TELL = 0, 1, 3
_TOLD = {_HOLDS: "holds", _DOES_NOT_HOLD: "does not hold", _CANNOT_TELL: "cannot tell"}


@dataclass(frozen=True, slots=True)
class JudgedImage:
    """What was found of one digest. `trust` is None where no rule asks for a signature."""

    image: Base
    digest: str
    standings: tuple[Standing, ...]
    trust: Trust | None
    is_required: bool
    at: datetime
    builder: Builder | None = None

    @property
    def exit_code(self) -> int:
        """0 where it is trusted and current, 1 where it is not, 3 where that cannot be told."""
        is_behind = behind_since(self.standings) is not None
        is_refused = self.is_required and self.trust is not None and not self.trust.holds
        if is_behind or is_refused:
            return _DOES_NOT_HOLD
        is_told = bool(self.standings) and all(each.strength is Strength.PROVED for each in self.standings)
        return _HOLDS if is_told else _CANNOT_TELL

    def lines(self) -> list[str]:
        """Words the verdict, a line for each part."""
        found = [f"{_TOLD[self.exit_code]}: {self.image}@{self.digest}"]
        found += [f"  {each.platform} stands on {each.told(self.at)}" for each in self.standings]
        if self.builder is not None:
            found.append(f"  {self.builder.told}")
        found.append(f"  {self.trust.told if self.trust else 'no rule of trust asks for a signature'}")
        return found

    def as_json(self) -> dict[str, Any]:
        """Gives it as plain JSON values."""
        return {
            "image": str(self.image),
            "digest": self.digest,
            "verdict": _TOLD[self.exit_code],
            "trusted": None if self.trust is None else self.trust.holds,
            "trust": None if self.trust is None else self.trust.told,
            "builder": None if self.builder is None else asdict(self.builder),
            "behind_since": behind_since(self.standings),
            "platforms": [
                {
                    "platform": each.platform,
                    "base": str(each.base) if each.base else None,
                    "strength": each.strength.value,
                    "told": each.told(self.at),
                }
                for each in self.standings
            ],
        }


async def judge_image(settings: Settings, name: str, clock: Clock) -> JudgedImage:
    """Asks the registry for the image and its signatures, and the store for what bases have shown.

    Raises `Failure` where either does not answer.
    """
    try:
        reference = Reference.parse(name)
    except InvalidReference as error:
        advice = "write registry/name:tag or registry/name@digest"
        raise Failure(Trouble.MALFORMED, str(error), advice=advice) from None
    place = reference.base
    accesses = accesses_of_caller(settings)
    async with opened_stores(settings, clock) as stores, Http(clock, http_rules(settings, accesses)) as http:
        registry = Registry(http, accesses, clock)
        digest = reference.digest or (await registry.head(place)).digest
        images = Images(registry, LookedOnce(registry, clock), stores.watch, stores.images, clock, settings.trust)
        seen = await images.read(place, digest, ())
        observed = Observed()
        await observed.catch_up(stores.images)
        layers = observed.layers
        confirmed = await confirm(seen.platforms, layers, images, apart_from=place.name)
        standings = tuple(
            standing_of(
                platform,
                layers,
                seen.declared.get(platform.platform, ()),
                apart_from=place.name,
                confirmed=confirmed.digests,
            )
            for platform in seen.platforms
        )
        rule = settings.trust.rule_for(place.name)
        trust = await Trusting(settings, registry, stores.watch, clock).trust(place, digest)
        is_required = rule is not None and rule.mode is TrustMode.REQUIRE
        return JudgedImage(place, digest, standings, trust, is_required, clock.now(), seen.builder)
