"""What the layers of own bases tell, for the stages that order what is built upon them."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from bot.domain.bases.change import Move
from bot.domain.bases.observation import Observation, named_apart
from bot.domain.evidence import Strength
from bot.domain.images.standing import Publication
from bot.domain.images.wanted import hash_of_parents
from bot.domain.platform import platform_of
from bot.domain.reference import Base
from bot.fleet.assess.own_base import InheritedChanges
from bot.fleet.assess.tick import Pair
from bot.fleet.bot import Bot
from bot.fleet.plan.cascade.rows.cascade import CascadeStore
from bot.fleet.plan.cascade.shown import Stood
from bot.fleet.verify.images.judging import Observed
from bot.fleet.verify.images.rows.images import ImagesStore
from bot.fleet.wiring.registries.observed import OBSERVED


@dataclass(frozen=True, slots=True)
class OwnBases:
    """Compares observations of own bases with all that their bases have shown."""

    store: CascadeStore
    images: ImagesStore
    observed: Observed

    async def among(self, bases: Collection[Base]) -> Collection[Base]:
        return await self.store.own_among(bases)

    async def brought(self, pair: Pair) -> InheritedChanges:
        """By layers where both digests show them, else what moved between the two."""
        await self.observed.catch_up(self.images)
        below = await self.store.changes_below(pair.after.base)
        old, new = self._below(pair.before, below), self._below(pair.after, below)
        found: list[Move] = []
        is_proved = False
        for base, moves in below.items():
            if base in old and base in new:
                first, last = max(each.at for each in old[base]), max(each.at for each in new[base])
                is_proved = True
            else:
                first, last = pair.before.at, pair.after.at
            found += [move for move in moves if first < move.change.at <= last and move.change.cause.needs_rebuild]
        return InheritedChanges(tuple(sorted(found, key=lambda move: move.id)), is_proved and bool(found))

    async def stood(self, asked: Mapping[Base, Collection[Base]]) -> Mapping[Base, Stood]:
        await self.observed.catch_up(self.images)
        shown = await self.store.shown_by(asked.keys())
        found = {base: self._stood(seen, asked[base]) for base, seen in shown.items()}
        return {base: stood for base, stood in found.items() if stood is not None}

    def _stood(self, seen: Observation, below: Collection[Base]) -> Stood | None:
        """None where the layers of some platform do not tell what that stands on."""
        built: dict[Base, dict[str, str]] = {}
        current: dict[Base, dict[str, str]] = {}
        for name, image in named_apart(seen.platforms):
            match = self.observed.layers.match(image, apart_from=seen.base.name)
            mine = [each for each in match.publications if each.base in below] if match is not None else []
            if match is None or match.strength is not Strength.PROVED or not mine:
                return None
            for base in {each.base for each in mine}:
                is_current = any(each.base == base and each.until is None for each in mine)
                stands = max(each for each in mine if each.base == base)
                now = next(
                    (each for each in self.observed.layers.current(base) if each.platform == platform_of(name)),
                    stands,
                )
                built.setdefault(base, {})[name] = (now if is_current else stands).platform_digest
                current.setdefault(base, {})[name] = now.platform_digest
        return Stood(frozenset(built), hash_of_parents(built), hash_of_parents(current)) if built else None

    def _below(self, seen: Observation, below: Collection[Base]) -> dict[Base, list[Publication]]:
        """What an observation is proved to stand on, of these bases."""
        found: dict[Base, list[Publication]] = {}
        for image in seen.platforms:
            match = self.observed.layers.match(image, apart_from=seen.base.name)
            if match is not None and match.strength is Strength.PROVED:
                for each in match.publications:
                    if each.base in below:
                        found.setdefault(each.base, []).append(each)
        return found


def own_bases(bot: Bot) -> OwnBases:
    """What the layers of the bases that the fleet builds tell."""
    return OwnBases(bot.stores[CascadeStore], bot.stores[ImagesStore], bot[OBSERVED])
