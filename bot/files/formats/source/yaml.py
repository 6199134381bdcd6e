"""YAML text → nodes with places.

libyaml's parser, through PyYAML's events: Docker Compose, Kubernetes and Helm read YAML with ports of that same
library, so what it accepts is what they accept, and it is some forty times as fast as a parser in Python
(measured on manifests, against ruamel.yaml). Building the nodes here instead of composing them keeps a re-defined
anchor legal (PyYAML's composer refuses it, YAML allows it), shares aliased nodes instead of copying them, and
bounds what a hostile file can cost.
"""

import re

import yaml

from bot.files.formats.source.collector import Unreadable
from bot.files.formats.source.nodes import Mapping, Node, Scalar, ScalarStyle, Sequence
from bot.files.formats.source.text import BOM

LARGEST_TEXT = 4 * 1024 * 1024
"""Characters. Kubernetes itself takes at most 1.5 MiB for one object."""
MOST_NODES = 400_000
DEEPEST_NESTING = 100
MERGE_KEY = "<<"
NO_TEXT = "\0"
"""What the value of a key that is no scalar begins with."""
TEMPLATED = "the file is a template with {{ … }} in it, which is neither read nor edited; keep its images in values"

_TEMPLATE_ACTION = re.compile(r"^[ \t]*(?:-[ ]+)?(?:[^\n:{]{1,200}:[ \t]+)?\{\{", re.MULTILINE)
"""Where YAML would begin a mapping; `${{ … }}` and what stands in a text make no template of a file."""


def read(source: str) -> list[Node]:
    """The root node of each document that has one. Raises `Unreadable`."""
    if len(source) > LARGEST_TEXT:
        raise Unreadable(1, f"the file has more than {LARGEST_TEXT:,} characters and is not read")
    builder = _Builder(source)
    # Bytes that are no UTF-8 become question marks, one for one, so that a stray one in a comment costs nothing.
    encoded = source.removeprefix(BOM).encode("utf-8", "replace")
    try:
        # CSafeLoader decides nothing here: only its parser runs, no object is built.
        for event in yaml.parse(encoded, Loader=yaml.CSafeLoader):
            builder.take(event)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        is_template = _TEMPLATE_ACTION.search(source) is not None
        broken = TEMPLATED if is_template else f"the file is not valid YAML: {error.problem or error.context}"
        raise Unreadable(line, broken) from error
    except yaml.YAMLError as error:
        raise Unreadable(1, "the file is not valid YAML: it has characters that YAML does not allow") from error
    return builder.roots


class _Builder:
    """Puts events together without recursion, so that depth costs no stack."""

    def __init__(self, source: str) -> None:
        self.source = source
        self.roots: list[Node] = []
        self._shift = len(source) - len(source.removeprefix(BOM))
        self._open: list[tuple[Node, Scalar | None]] = []
        """Collections not yet closed; a mapping with the key whose value comes next."""
        self._anchors: dict[str, Node] = {}
        self._nodes = 0

    def take(self, event: yaml.Event) -> None:
        match event:
            case yaml.ScalarEvent():
                self._add(self._scalar(event), event)
            case yaml.AliasEvent():
                anchor = self._anchors.get(event.anchor or "")
                if anchor is None:
                    raise Unreadable(_line(event), f"the alias *{event.anchor} names no anchor")
                self._place(anchor, event)
            case yaml.MappingStartEvent():
                self._enter(Mapping(self._start(event)), event)
            case yaml.SequenceStartEvent():
                self._enter(Sequence(self._start(event)), event)
            case yaml.CollectionEndEvent():
                self._open.pop()
            case yaml.DocumentStartEvent():
                self._anchors.clear()

    def _scalar(self, event: yaml.ScalarEvent) -> Scalar:
        start, end = self._start(event), self._end(event)
        style = ScalarStyle(event.style or "")
        if event.anchor is not None or event.tag is not None:
            start = _after_properties(self.source, start, end)
        return Scalar(self.source, start, end, event.value, style)

    def _enter(self, node: Node, event: yaml.NodeEvent) -> None:
        if len(self._open) >= DEEPEST_NESTING:
            raise Unreadable(_line(event), f"the file nests deeper than {DEEPEST_NESTING} levels and is not read")
        self._add(node, event)
        self._open.append((node, None))

    def _add(self, node: Node, event: yaml.NodeEvent) -> None:
        self._nodes += 1
        if self._nodes > MOST_NODES:
            raise Unreadable(_line(event), f"the file has more than {MOST_NODES:,} nodes and is not read")
        if event.anchor is not None:
            self._anchors[event.anchor] = node
        self._place(node, event)

    def _place(self, node: Node, event: yaml.NodeEvent) -> None:
        if not self._open:
            self.roots.append(node)
            return
        parent, key = self._open[-1]
        if isinstance(parent, Sequence):
            parent.items.append(node)
        elif isinstance(parent, Mapping):
            if key is None:
                self._open[-1] = (parent, self._key(node, event))
            else:
                self._open[-1] = (parent, None)
                if key.value == MERGE_KEY and key.style is ScalarStyle.PLAIN:
                    parent.merged.append(node)
                else:
                    if parent.repeated is None and key.value in parent.own:
                        parent.repeated = key
                    parent.own[key.value] = (key, node)

    def _start(self, event: yaml.Event) -> int:
        return (event.start_mark.index if event.start_mark else 0) + self._shift

    def _end(self, event: yaml.Event) -> int:
        return (event.end_mark.index if event.end_mark else 0) + self._shift

    def _key(self, node: Node, event: yaml.NodeEvent) -> Scalar:
        """A key that is no scalar is kept as one that no reader asks for, unless it is the inside of `{{ … }}`."""
        if isinstance(node, Scalar):
            return node
        place = self._start(event)
        if self.source[max(place - 1, 0) : place + 1] == "{{":
            raise Unreadable(_line(event), TEMPLATED)
        return Scalar(self.source, place, place, f"{NO_TEXT}{place}")


def _after_properties(source: str, start: int, end: int) -> int:
    """Past `&anchor` and `!tag`, which libyaml counts to the scalar."""
    while source[start : start + 1] in {"&", "!"}:
        while start < end and not source[start].isspace():
            start += 1
        while start < end and source[start].isspace():
            start += 1
    return start


def _line(event: yaml.Event) -> int:
    return event.start_mark.line + 1 if event.start_mark else 1
