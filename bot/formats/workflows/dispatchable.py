"""Which workflows can be dispatched, and what inputs they declare."""

from bot.domain.repositories.repository import Workflow
from bot.formats.source.collector import Unreadable
from bot.formats.source.nodes import Mapping, Scalar, Sequence
from bot.formats.source.yaml import read

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
    root = roots[0] if roots else None
    trigger = root.get("on") if isinstance(root, Mapping) else None
    match trigger:
        case Scalar(value=name) if name == _TRIGGER:
            return Workflow(path)
        case Sequence() if any(isinstance(item, Scalar) and item.value == _TRIGGER for item in trigger.items):
            return Workflow(path)
        case Mapping() if trigger.get(_TRIGGER) is not None:
            inputs = trigger.mapping(_TRIGGER).mapping("inputs")
            entries = tuple(inputs.entries())
            required = (key.value for key, about in entries if isinstance(about, Mapping) and _is_required(about))
            is_scheduled = trigger.get(_SCHEDULE) is not None
            return Workflow(path, tuple(key.value for key, _ in entries), is_scheduled, tuple(required))
    return None


def _is_required(about: Mapping) -> bool:
    """One with a default is never missing."""
    required = about.scalar("required")
    return required is not None and required.value.lower() == "true" and about.get("default") is None
