"""What holds for every repository of one decision, worked out once: the policy, the changes on the way, and from
where to where each base goes."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from bot.domain.bases.change import Change, Move
from bot.domain.feeds.advisory import Severity
from bot.domain.reference import Base
from bot.domain.rollouts.policy import Policy, Terms
from bot.domain.rollouts.rebuild import Rebuild, Target
from bot.domain.rollouts.timing.windows import next_opening
from bot.fleet.plan.due import (
    Beginning,
    beginning_by_policy,
    beginning_of,
    counted_for,
    terms_by_policy,
    thawed_beginning,
)
from bot.fleet.plan.needs import Need


def target_of(move: Move) -> Target:
    """From the digest before the move to the one after it, by the changes that the move is made of."""
    change = move.change
    assert change.to_digest is not None
    steps = (move.id,) if move.steps is None else move.steps
    return Target(change.base, change.from_digest, change.to_digest, steps)


def targets_of(needs: Sequence[Need], target_of: Callable[[Move], Target]) -> dict[Base, Target]:
    """By base; of one that moved more than once, from where it was first to where it is now."""
    targets: dict[Base, Target] = {}
    for move in {need.move.id: need.move for need in needs}.values():
        target = target_of(move)
        targets = continued(tuple(targets.values()), {target.base: target})
    return targets


def continued(earlier: Sequence[Target], targets: Mapping[Base, Target]) -> dict[Base, Target]:
    """What an unfinished rebuild was to bring is brought now: bases that it alone names, and earlier steps."""
    targets_by_base = dict(targets)
    for old in earlier:
        new = targets_by_base.get(old.base)
        if new is None:
            targets_by_base[old.base] = old
        elif old.changes:  # else it was planned for its age, and brought nothing
            steps = tuple(dict.fromkeys((*old.changes, *new.changes)))
            targets_by_base[old.base] = Target(old.base, old.from_digest, new.to_digest, steps)
    return targets_by_base


def are_back(replaced_rebuilds: Sequence[Rebuild], targets: Collection[Target]) -> bool:
    """Whether every base is where it was before rebuilds that nobody has begun with: caches that disagree, or a
    publication taken back within its settle window.

    One that took a pull request over was begun with: that may be open.
    """
    untouched = all(rebuild.attempted_at is None and rebuild.pull_request is None for rebuild in replaced_rebuilds)
    return (
        bool(replaced_rebuilds) and untouched and all(target.from_digest == target.to_digest for target in targets)
    )


@dataclass(frozen=True, slots=True)
class Premises:
    """What holds for every repository of one decision."""

    policy: Policy
    changes: Mapping[int, Change]
    now: datetime
    beginnings: dict[tuple[int, int], Beginning] = field(default_factory=dict)
    """By move and terms, of which the policy makes each once: a fleet shares few of them."""
    targets: dict[int, Target] = field(default_factory=dict)
    """By move, which thousands of repositories share."""

    def target(self, move: Move) -> Target:
        target = self.targets.get(move.id)
        if target is None:
            target = self.targets[move.id] = target_of(move)
        return target

    def begins(self, need: Need) -> Beginning:
        key = need.move.id, id(need.terms)
        beginning = self.beginnings.get(key)
        if beginning is None:
            beginning = beginning_of(need.move.change, need.terms, self.policy.freezes, self.now)
            self.beginnings[key] = beginning
        return beginning

    def goes_on(self, rebuild: Rebuild, terms: Terms) -> Beginning:
        """Says when a waiting rebuild would begin: the earliest over all changes on its way, each under its own
        terms.

        What follows it must put none of them off. `terms` hold for a rebuild none of whose changes is known.
        """
        on_the_way = [change for target in rebuild.targets for change in target.changes if change in self.changes]
        if not on_the_way:
            opening = next_opening(terms.windows, max(rebuild.due_at, self.now))
            return thawed_beginning(opening, terms, self.policy.freezes, None)
        changes = [counted_for(rebuild, self.changes[change]) for change in on_the_way]
        return min(beginning_by_policy(rebuild.repository, change, self.policy, self.now) for change in changes)

    def terms_on_the_way(self, rebuilds: Iterable[Rebuild]) -> list[Terms]:
        """What holds for the changes that these rebuilds were to bring: who takes them over comes no later."""
        return [
            terms_by_policy(rebuild.repository, self.changes[change], self.policy)
            for rebuild in rebuilds
            for target in rebuild.targets
            for change in target.changes
            if change in self.changes
        ]

    def severities(self, targets: Iterable[Target]) -> list[Severity | None]:
        """Returns the severities of the changes on the way to these targets, as far as they are known."""
        return [
            self.changes[change].severity
            for target in targets
            for change in target.changes
            if change in self.changes
        ]
