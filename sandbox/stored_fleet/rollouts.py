"""What the bot did about each publication: rebuilds in four waves, each with its way and its steps."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from bot.domain.reference import Base
from bot.domain.rollouts.rebuild import Action, RebuildState
from bot.domain.rollouts.steps import StepState
from bot.domain.rollouts.terms import Start, Step
from bot.domain.rollouts.timing.waves import Wave
from bot.store.engine.codec import dump
from sandbox.stored_fleet import names
from sandbox.stored_fleet.publications import ROLLOUTS, opened
from sandbox.stored_fleet.repositories import Sample

WAVES = (
    Wave("canary", soak=timedelta(minutes=30)),
    Wave("early", soak=timedelta(hours=1)),
    Wave("broad", soak=timedelta(hours=4)),
    Wave("critical"),
)
STEPS = (
    Step("pre-production", "deploy.yml"),
    Step("load test", "baseline.yml", repository="contoso/load-tests"),
    Step("production", "deploy.yml", start=Start.OBSERVE),
)
_BEGAN = {"canary": 0.1, "early": 1.2, "broad": 3.1, "critical": 8.0}
"""Hours after the rollout was opened."""
_ENDS = (
    *(RebuildState.SUCCEEDED,) * 31,
    RebuildState.FAILED,
    RebuildState.SKIPPED,
    RebuildState.MERGED,
    RebuildState.SUCCEEDED,
    RebuildState.CANCELLED,
)
_BROAD = (
    *(
        RebuildState.SUCCEEDED,
        RebuildState.SUCCEEDED,
        RebuildState.OPEN,
        RebuildState.SUCCEEDED,
        RebuildState.STEPPING,
        RebuildState.SUCCEEDED,
    ),
    *(
        RebuildState.RUNNING,
        RebuildState.SUCCEEDED,
        RebuildState.OPEN,
        RebuildState.PROVING,
        RebuildState.SUCCEEDED,
        RebuildState.BUILDING,
        RebuildState.FAILED,
    ),
)
_SAID = {
    RebuildState.PLANNED: "the base moved, and its wave has not begun",
    RebuildState.OPEN: "its checks are green, and nobody has merged it",
    RebuildState.RUNNING: "the run is under way",
    RebuildState.BUILDING: "merged, and the run for its merge commit is under way",
    RebuildState.PROVING: "built, and its image is looked for",
    RebuildState.STEPPING: "proved, and its step production waits for an approval",
    RebuildState.SUCCEEDED: "its image was proved to stand on the new base by 5 layers",
    RebuildState.SKIPPED: "its own file asks to be left alone",
    RebuildState.MERGED: "merged, and no run for its merge commit was seen within 1 h",
    RebuildState.CANCELLED: "called off by alice",
}
_ON_THE_WAY = {
    RebuildState.PLANNED: "a base that it stands on moved",
    RebuildState.OPEN: "the pull request was opened",
    RebuildState.DISPATCHED: "the workflow was started",
}


@dataclass(frozen=True, slots=True)
class Told:
    """A rebuild as rows: its own, its way through the states, its steps."""

    rebuild: dict[str, Any]
    transitions: tuple[dict[str, Any], ...]
    steps: tuple[dict[str, Any], ...]

    @property
    def state(self) -> RebuildState:
        return RebuildState(self.rebuild["state"])


def wave_of(number: int) -> str:
    """The same in each rollout: a twentieth, a fifth, half, and the rest."""
    place = number * 7 % 20
    return "canary" if place == 0 else "early" if place < 5 else "broad" if place < 15 else "critical"


def wave_rows(rollout: int, now: datetime) -> Iterator[dict[str, Any]]:
    for wave in WAVES:
        begins = opened(rollout, now) + timedelta(hours=_BEGAN[wave.name])
        is_done = rollout <= ROLLOUTS or wave.name in ("canary", "early")
        yield {
            "rollout_id": rollout,
            "name": wave.name,
            "began_at": begins if begins < now else None,
            "done_since": begins + timedelta(minutes=45) if is_done else None,
            "set_aside": 0,
        }


def rebuilds(
    rollout: int, samples: list[Sample], digests: dict[Base, tuple[str, str]], now: datetime, mark: str
) -> Iterator[Told]:
    """One for each repository that stands on what moved; `digests` are those between which each base moved."""
    for sample in samples:
        moved = sorted(base for base in sample.bases if base in digests)
        if moved and sample.is_enabled and sample.error is None:
            yield _told(rollout, sample, {base: digests[base] for base in moved}, len(samples), now, mark)


def _state(rollout: int, number: int, wave: str) -> RebuildState:
    if rollout <= ROLLOUTS:
        return _ENDS[(number * 31 + rollout * 17) % len(_ENDS)]
    if wave == "critical":
        return RebuildState.PLANNED
    return _BROAD[number % len(_BROAD)] if wave == "broad" else RebuildState.SUCCEEDED


def _told(
    rollout: int, sample: Sample, moved: dict[Base, tuple[str, str]], fleet: int, now: datetime, mark: str
) -> Told:
    wave = wave_of(sample.number)
    state = _state(rollout, sample.number, wave)
    id_ = (rollout - 1) * fleet + sample.number
    is_pin = sample.number % 3 == 0 or state is RebuildState.OPEN
    waits = state is RebuildState.PLANNED
    planned = opened(rollout, now)
    began = planned + timedelta(hours=_BEGAN[wave], minutes=sample.number % 9)
    ended = began + timedelta(minutes=6 + sample.number * 13 % 40) if state.has_ended else None
    run = 19_400_000_000 + id_ * 7919
    request = 100 + (sample.number * 37 + rollout * 11) % 800
    where = f"pull/{request}" if is_pin else f"actions/runs/{run}"
    has_steps = (
        rollout > ROLLOUTS and wave != "critical" and state in (RebuildState.SUCCEEDED, RebuildState.STEPPING)
    )
    url = None if waits else f"https://github.com/{sample.name}/{where}"
    rebuild = {
        "id": id_,
        "rollout_id": rollout,
        "repository_id": sample.number,
        "action": (Action.PULL_REQUEST if is_pin else Action.DISPATCH).value,
        "state": state.value,
        "reason": _said(state, sample.number) + mark,
        "targets": [
            {"base": dump(base, Base), "from_digest": before, "to_digest": after, "changes": []}
            for base, (before, after) in moved.items()
        ],
        "replacements": [],
        "wave": wave,
        "planned_at": planned,
        "waits_since": planned,
        "attempted_at": None if waits else began,
        "released_at": None if waits else began,
        "branch": f"freshness/{mark}" if is_pin else None,
        "pull_request": request if is_pin and not waits else None,
        "workflow": None if is_pin else f"build.yml{mark}",
        "run": None if is_pin or waits else run,
        "url": url,
        "ready_since": began if state is RebuildState.OPEN else None,
        "ended_at": ended,
        "due_at": now + timedelta(minutes=1 + id_ % 50),
        "severity": "high" if rollout % 2 else None,
        "held_because": f"held by bob: stock-taking until Monday{mark}" if waits and id_ % 50 == 5 else None,
        "built_at": ended,
        "steps": len(STEPS) if has_steps else 0,
    }
    steps = tuple(_steps(rebuild, began, now)) if has_steps else ()
    return Told(rebuild, tuple(_way(rebuild, state, is_pin, mark)), steps)


def _said(state: RebuildState, number: int) -> str:
    if state is RebuildState.FAILED:
        return f"the run failed: {names.project(number)}.Tests had {number % 3 + 2} failures"
    return _SAID[state]


def _way(rebuild: dict[str, Any], state: RebuildState, is_pin: bool, mark: str) -> Iterator[dict[str, Any]]:
    passed = [RebuildState.PLANNED]
    if state in (RebuildState.SUCCEEDED, RebuildState.FAILED, RebuildState.STEPPING, RebuildState.PROVING):
        passed += (
            [RebuildState.OPEN, RebuildState.BUILDING]
            if is_pin
            else [RebuildState.DISPATCHED, RebuildState.RUNNING]
        )
        passed += [RebuildState.PROVING] if state is not RebuildState.FAILED else []
    passed += [state] if state not in passed else []
    at, before = rebuild["planned_at"], None
    for place, after in enumerate(passed):
        said = rebuild["reason"] if after is state else _ON_THE_WAY.get(after, _SAID.get(after, "")) + mark
        yield {
            "rebuild_id": rebuild["id"],
            "at": at,
            "before": before,
            "after": after.value,
            "reason": said,
        }
        at = (rebuild["attempted_at"] or at) + timedelta(minutes=place * 6)
        if place + 2 == len(passed) and rebuild["ended_at"]:
            at = rebuild["ended_at"]
        before = after.value


def _steps(rebuild: dict[str, Any], began: datetime, now: datetime) -> Iterator[dict[str, Any]]:
    is_done = rebuild["state"] == RebuildState.SUCCEEDED.value
    for place, step in enumerate(STEPS):
        state = StepState.SUCCEEDED if is_done or place < 2 else StepState.APPROVAL
        at = began + timedelta(minutes=8 + place * 7)
        home = step.repository or "/".join(rebuild["url"].split("/")[3:5])
        yield {
            "rebuild_id": rebuild["id"],
            "place": place,
            "step": dump(step, Step),
            "start": step.start.value,
            "elsewhere": step.repository,
            "state": state.value,
            "reason": "the run was green"
            if state is StepState.SUCCEEDED
            else "its environment waits for an approval",
            "began_at": at,
            "url": f"https://github.com/{home}/actions/runs/{rebuild['id'] * 31 + place}",
            "ended_at": at + timedelta(minutes=6) if state is StepState.SUCCEEDED else None,
            "due_at": now + timedelta(minutes=1),
        }
