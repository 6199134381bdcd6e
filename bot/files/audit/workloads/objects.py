"""The objects of Kubernetes that the documents of a file hold."""

from collections.abc import Iterator

from bot.files.formats.source.nodes import Mapping, Node, Scalar, Sequence

MOST_OBJECTS = 20_000


def objects(documents: list[Node]) -> Iterator[Mapping]:
    """Yields each object of the documents, those in lists and in OpenShift's templates as well."""
    waiting: list[Node] = list(reversed(documents))
    count = 0
    while waiting and count < MOST_OBJECTS:
        node = waiting.pop()
        count += 1
        if not isinstance(node, Mapping) or node.scalar("kind") is None or node.scalar("apiVersion") is None:
            continue
        if (word(node.get("kind")) or "").endswith("List") and isinstance(node.get("items"), Sequence):
            waiting += reversed(node.sequence("items"))
        elif word(node.get("kind")) == "Template" and isinstance(node.get("objects"), Sequence):
            waiting += reversed(node.sequence("objects"))
        else:
            yield node


def word(node: Node | None) -> str | None:
    """The text of a scalar; None for anything else, and for null."""
    return node.value.strip() if isinstance(node, Scalar) and not node.is_null else None
