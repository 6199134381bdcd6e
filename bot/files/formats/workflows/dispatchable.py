"""Which workflows can be dispatched, and what inputs they declare."""

from bot.domain.repositories.repository import Workflow
from bot.files.formats.source.collector import Unreadable
from bot.files.formats.source.nodes import Mapping
from bot.files.formats.source.yaml import read
from bot.files.formats.workflows.triggers import triggers_of

_TRIGGER = "workflow_dispatch"
_SCHEDULE = "schedule"


def dispatchable(path: str, text: str) -> Workflow | None:
    """The workflow where its `on:` names workflow_dispatch (in any of YAML's three forms), else None."""
    if _TRIGGER not in text:
        return None
    try:
        roots = read(text)
    except Unreadable:
        return None
    triggers = triggers_of(roots[0] if roots else None)
    if _TRIGGER not in triggers:
        return None
    dispatched = triggers[_TRIGGER]
    entries = tuple(dispatched.mapping("inputs").entries()) if isinstance(dispatched, Mapping) else ()
    required = (key.value for key, about in entries if isinstance(about, Mapping) and _is_required(about))
    is_scheduled = triggers.get(_SCHEDULE) is not None
    return Workflow(path, tuple(key.value for key, _ in entries), is_scheduled, tuple(required))


def _is_required(about: Mapping) -> bool:
    """One with a default is never missing."""
    required = about.scalar("required")
    return required is not None and required.value.lower() == "true" and about.get("default") is None
