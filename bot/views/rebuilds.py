"""A rebuild as every surface shows it."""

from typing import Any

from bot.domain.rebuild import Action, Rebuild


def what(rebuild: Rebuild) -> str:
    """Says in two or three words what the rebuild is: `#12`, `run 3`, `dispatch weekly.yml`, `pull request`."""
    if rebuild.pull_request is not None:
        return f"#{rebuild.pull_request}"
    if rebuild.run is not None:
        return f"run {rebuild.run}"
    if rebuild.action is Action.DISPATCH and rebuild.workflow:
        return f"dispatch {rebuild.workflow}"
    return str(rebuild.action).replace("_", " ")


def as_json(rebuild: Rebuild) -> dict[str, Any]:
    """Gives the rebuild as plain JSON values."""
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
        "bases": [
            {"base": str(target.base), "from": target.from_digest, "to": target.to_digest}
            for target in rebuild.targets
        ],
    }
