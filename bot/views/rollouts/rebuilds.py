"""A rebuild as every surface shows it."""

from collections.abc import Sequence
from typing import Any, Protocol

from bot.domain.rollouts.rebuild import Action, Rebuild
from bot.domain.rollouts.steps import StepRun
from bot.domain.rollouts.timing.waves import Hold


class Effect(Protocol):
    """What a rebuild does, as it or its row tells."""

    @property
    def action(self) -> str: ...

    @property
    def pull_request(self) -> int | None: ...

    @property
    def run(self) -> int | None: ...

    @property
    def workflow(self) -> str | None: ...


def what(rebuild: Effect) -> str:
    """Says in two or three words what the rebuild is: `#12`, `run 3`, `dispatch weekly.yml`, `pull request`."""
    if rebuild.pull_request is not None:
        return f"#{rebuild.pull_request}"
    if rebuild.run is not None:
        return f"run {rebuild.run}"
    if rebuild.action == Action.DISPATCH and rebuild.workflow:
        return f"dispatch {rebuild.workflow}"
    return rebuild.action.replace("_", " ")


def addresses(pull_request: int | None, url: str | None) -> tuple[str | None, str | None]:
    """Where a rebuild's own pull request or run is shown, and where its build is, if that is another place.

    A rebuild keeps where to look first: of a merged pull request whose build is red, that is the run.
    """
    if pull_request is None or url is None or "/actions/runs/" not in url:
        return url, None
    repository = url.partition("/actions/runs/")[0]
    return f"{repository}/pull/{pull_request}", url


def hold_as_json(hold: Hold | None) -> dict[str, Any] | None:
    """Gives what is waited for as plain JSON values; `until` is when that will probably be over."""
    if hold is None:
        return None
    return {"reason": hold.reason, "until": hold.until}


def step_as_json(step: StepRun) -> dict[str, Any]:
    """Gives the step as plain JSON values."""
    return {
        "name": step.step.name,
        "workflow": step.workflow,
        "repository": step.home.name,
        "start": step.step.start,
        "environment": step.step.environment,
        "state": step.state,
        "reason": step.reason,
        "run": step.run,
        "url": step.url,
        "began_at": step.began_at,
        "ended_at": step.ended_at,
    }


def as_json(rebuild: Rebuild, hold: Hold | None = None, steps: Sequence[StepRun] = ()) -> dict[str, Any]:
    """Gives the rebuild as plain JSON values; `hold` is what it waits for."""
    return {
        "id": rebuild.id,
        "rollout": rebuild.rollout,
        "repository": rebuild.repository,
        "action": rebuild.action,
        "state": rebuild.state,
        "reason": rebuild.reason,
        "due_at": rebuild.due_at,
        "branch": rebuild.branch,
        "pull_request": rebuild.pull_request,
        "workflow": rebuild.workflow,
        "workflows": [part.workflow for part in rebuild.parts],
        "run": rebuild.run,
        "url": rebuild.url,
        "wave": rebuild.wave,
        "waits_for": hold_as_json(hold),
        "built_at": rebuild.built_at,
        "steps": [step_as_json(step) for step in steps],
        "bases": [
            {"base": str(target.base), "from": target.from_digest, "to": target.to_digest}
            for target in rebuild.targets
        ],
    }
