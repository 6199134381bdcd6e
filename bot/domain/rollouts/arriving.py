"""A step that is done once what was built runs where it is to run, and nothing older does.

A build that was known before that of the rebuild began is old, unless it is a current one made again. Of later ones
that is new which an image shows that was proved, or has shown since that. Of others it is not known.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from bot.domain.rollouts.steps import StepRun, StepState, too_late
from bot.domain.wording.words import counted, first_few


@dataclass(frozen=True, slots=True)
class ArrivedBuild:
    """A digest of the images of a rebuild that runs, with its places, as `shop/web in west`.

    It is known since `known_since`, by what ran and by what its registry showed. Of an image that was proved,
    `is_shown` says that it shows it now, `is_current` that it is current with that, and `is_seen` that it was seen
    under its name at some time.
    """

    digest: str
    places: tuple[str, ...]
    known_since: datetime
    is_shown: bool = False
    is_current: bool = False
    is_seen: bool = False


@dataclass(frozen=True, slots=True)
class Arrival:
    """A step with what runs of the images of its rebuild, whose build began at `begun_at` and was green at
    `built_at`.

    `names` are those of the images; `hole` says why it is not known what all runs there, and `overtaken_by` is as
    with `StepJob`.
    """

    step: StepRun
    names: tuple[str, ...]
    begun_at: datetime
    built_at: datetime
    builds: tuple[ArrivedBuild, ...] = ()
    hole: str = ""
    overtaken_by: int | None = None
    is_told: bool = True
    """Whether settings name a source that tells what runs there."""

    def is_new(self, build: ArrivedBuild) -> bool | None:
        """Whether the build has what the rebuild brings; None where that is not known."""
        if build.known_since < self.begun_at:
            return build.is_shown and build.is_current
        is_new = build.is_shown or (build.is_seen and build.known_since >= self.built_at)
        return True if is_new else None

    def places(self, is_new: bool | None) -> tuple[str, ...]:
        """Those that run a build which stands so, each once."""
        return _places(each for each in self.builds if self.is_new(each) is is_new)


def after_look(arrival: Arrival, now: datetime) -> StepRun:
    """The step as what runs shows it. While a source does not tell, nothing is concluded, and no time runs."""
    step, where = arrival.step, arrival.step.step.environment or ""
    if arrival.overtaken_by is not None:
        reason = f"rebuild {arrival.overtaken_by} is newer and built too"
        return step.moved(StepState.SUPERSEDED, reason, at=now)
    if not arrival.names:
        reason = "no image of the repository is known, so nothing tells where it runs"
        return step.moved(StepState.FAILED, reason, at=now)
    if not arrival.is_told:
        return step.moved(StepState.FAILED, f"no source of running.sources tells what runs in {where}", at=now)
    left = arrival.places(False), arrival.places(None)
    if arrival.hole:
        seen = f"; {_left(arrival, *left)}" if any(left) else ""
        return _going(step, f"not all is known of what runs in {where}: {arrival.hole}{seen}", now)
    if not any(left):
        places = _places(arrival.builds)
        reason = f"{counted(len(places), 'place')} in {where} {'runs' if len(places) == 1 else 'run'} it"
        reason = f"{reason}, and nothing older" if places else f"nothing of it runs in {where}"
        return step.moved(StepState.SUCCEEDED, reason, at=now)
    reason = _left(arrival, *left)
    if late := too_late(_going(step, reason, now), now):
        return late
    until = "" if step.deadline is None else f"; it has until {step.deadline:%Y-%m-%d %H:%M} UTC"
    return _going(step, reason + until, now)


def _going(step: StepRun, reason: str, now: datetime) -> StepRun:
    return step.moved(StepState.RUNNING, reason, at=now)


def _left(arrival: Arrival, old: Sequence[str], unknown: Sequence[str]) -> str:
    """Which places run something else, and how that is known."""
    built, said = f"that of {arrival.built_at:%Y-%m-%d %H:%M} UTC", list[str]()
    if old:
        said.append(f"an older build than {built} still runs at {first_few(old)}")
    if others := [each for each in unknown if each not in old]:
        said.append(f"it is not known whether what runs at {first_few(others)} is older than {built}")
    return " and ".join(said)


def _places(builds: Iterable[ArrivedBuild]) -> tuple[str, ...]:
    return tuple(sorted({place for each in builds for place in each.places}))
