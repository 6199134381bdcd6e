"""From where to where each base goes in a rebuild, over everything that it takes along."""

from collections.abc import Callable, Collection, Mapping, Sequence

from bot.domain.bases.change import Move
from bot.domain.reference import Base
from bot.domain.rollouts.rebuild import Rebuild, Target
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
