"""A rebuild as every surface shows it."""

from typing import Any

from bot.domain.rollouts.rebuild import Action, Rebuild
from bot.domain.rollouts.waves import Hold


def what(rebuild: Rebuild) -> str:
    """Says in two or three words what the rebuild is: `#12`, `run 3`, `dispatch weekly.yml`, `pull request`."""
    if rebuild.pull_request is not None:
        return f"#{rebuild.pull_request}"
    if rebuild.run is not None:
        return f"run {rebuild.run}"
    if rebuild.action is Action.DISPATCH and rebuild.workflow:
        return f"dispatch {rebuild.workflow}"
    return str(rebuild.action).replace("_", " ")


def hold_as_json(held: Hold | None) -> dict[str, Any] | None:
    """Gives what is waited for as plain JSON values; `until` is when that will probably be over."""
    if held is None:
        return None
    return {"reason": held.reason, "until": held.until.isoformat() if held.until else None}


def as_json(rebuild: Rebuild, held: Hold | None = None) -> dict[str, Any]:
    """Gives the rebuild as plain JSON values; `held` is what it waits for."""
    return {
        "id": rebuild.id,
        "rollout": rebuild.rollout,
        "repository": rebuild.repository,
        "action": rebuild.action,
        "state": rebuild.state,
        "reason": rebuild.reason,
        "due_at": rebuild.due_at.isoformat(),
        "branch": rebuild.branch,
        "pull_request": rebuild.pull_request,
        "workflow": rebuild.workflow,
        "run": rebuild.run,
        "url": rebuild.url,
        "wave": rebuild.wave,
        "waits_for": hold_as_json(held),
        "bases": [
            {"base": str(target.base), "from": target.from_digest, "to": target.to_digest}
            for target in rebuild.targets
        ],
    }
