"""What the layers of own bases tell, for the stages that order what is built upon them."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from bot.domain.bases.change import Move
from bot.domain.bases.observation import Observation, named_apart
from bot.domain.evidence import Strength
from bot.domain.images.named_bases import hash_of_parents
from bot.domain.images.standing import Publication
from bot.domain.platform import platform_of
from bot.domain.reference import Base
from bot.fleet.assess.own_base import InheritedChanges
from bot.fleet.assess.tick import Pair
from bot.fleet.plan.cascade.rows.cascade import CascadeStore
from bot.fleet.plan.cascade.shown import Stood
from bot.fleet.stage import Bot
from bot.fleet.verify.images.judging import Observed
from bot.fleet.verify.images.rows.images import ImagesStore
from bot.fleet.wiring.registries.images import OBSERVED


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
        old, new = self._publications_below(pair.before, below), self._publications_below(pair.after, below)
        inherited_moves: list[Move] = []
        is_proved = False
        for base, moves in below.items():
            if base in old and base in new:
                first, last = max(each.at for each in old[base]), max(each.at for each in new[base])
                is_proved = True
            else:
                first, last = pair.before.at, pair.after.at
            inherited_moves += [
                move for move in moves if first < move.change.at <= last and move.change.cause.needs_rebuild
            ]
        return InheritedChanges(
            tuple(sorted(inherited_moves, key=lambda move: move.id)), is_proved and bool(inherited_moves)
        )

    async def stood(self, bases_below: Mapping[Base, Collection[Base]]) -> Mapping[Base, Stood]:
        await self.observed.catch_up(self.images)
        observations = await self.store.shown_by(bases_below.keys())
        standings = {
            base: self._bases_stood_on(observation, bases_below[base]) for base, observation in observations.items()
        }
        return {base: stood for base, stood in standings.items() if stood is not None}

    def _bases_stood_on(self, observation: Observation, below: Collection[Base]) -> Stood | None:
        """None where the layers of some platform do not tell what that stands on."""
        built_digests: dict[Base, dict[str, str]] = {}
        current_digests: dict[Base, dict[str, str]] = {}
        for name, image in named_apart(observation.platforms):
            match = self.observed.layers.match(image, apart_from=observation.base.name)
            publications = [each for each in match.publications if each.base in below] if match is not None else []
            if match is None or match.strength is not Strength.PROVED or not publications:
                return None
            for base in {each.base for each in publications}:
                is_current = any(each.base == base and each.until is None for each in publications)
                stands = max(each for each in publications if each.base == base)
                now = next(
                    (each for each in self.observed.layers.current(base) if each.platform == platform_of(name)),
                    stands,
                )
                built_digests.setdefault(base, {})[name] = (now if is_current else stands).platform_digest
                current_digests.setdefault(base, {})[name] = now.platform_digest
        return (
            Stood(frozenset(built_digests), hash_of_parents(built_digests), hash_of_parents(current_digests))
            if built_digests
            else None
        )

    def _publications_below(
        self, observation: Observation, below: Collection[Base]
    ) -> dict[Base, list[Publication]]:
        """What an observation is proved to stand on, of these bases."""
        publications: dict[Base, list[Publication]] = {}
        for image in observation.platforms:
            match = self.observed.layers.match(image, apart_from=observation.base.name)
            if match is not None and match.strength is Strength.PROVED:
                for publication in match.publications:
                    if publication.base in below:
                        publications.setdefault(publication.base, []).append(publication)
        return publications


def own_bases(bot: Bot) -> OwnBases:
    """What the layers of the bases that the fleet builds tell."""
    return OwnBases(bot.stores[CascadeStore], bot.stores[ImagesStore], bot[OBSERVED])
