"""Which events start a workflow."""

from bot.files.formats.source.nodes import Mapping, Node, Scalar, Sequence


def triggers_of(document: Node | None) -> dict[str, Node | None]:
    """The events that start a workflow, each with what is said of it; none for what is no workflow."""
    trigger = document.get("on") if isinstance(document, Mapping) else None
    match trigger:
        case Scalar():
            return {trigger.value: None}
        case Sequence():
            return {each.value: None for each in trigger.items if isinstance(each, Scalar)}
        case Mapping():
            return {key.value: about for key, about in trigger.entries()}
    return {}
