"""A Bake file's variables and targets, whether written in HCL or in JSON, with what targets inherit."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace

from bot.files.formats.bake.hcl import HclBlock, Opaque, Template, Value
from bot.files.formats.source.nodes import Mapping as JsonMapping
from bot.files.formats.source.nodes import Node, Scalar, Sequence
from bot.files.formats.source.spanned import Spanned

MOST_INHERITED = 64


@dataclass(frozen=True, slots=True)
class BakeFile:
    """`targets` maps each name to its attributes; where a name is declared twice, the later ones win.

    `declared` are the variables that the environment of a build may set; `groups` has the members of each group.
    """

    variables: Mapping[str, Value]
    targets: Mapping[str, Mapping[str, Value]]
    declared: frozenset[str] = frozenset()
    groups: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @classmethod
    def of(cls, blocks: list[HclBlock]) -> "BakeFile":
        variables: dict[str, Value] = {}
        targets: dict[str, dict[str, Value]] = {}
        groups: dict[str, tuple[str, ...]] = {}
        declared = frozenset(block.labels[0] for block in blocks if block.kind == "variable" and block.labels)
        for block in blocks:
            if block.kind == "":
                variables |= block.attributes
            elif block.kind == "variable" and block.labels and "default" in block.attributes:
                variables.setdefault(block.labels[0], block.attributes["default"])
            elif block.kind == "group" and block.labels:
                groups[block.labels[0]] = _texts(block.attributes.get("targets"))
            elif block.kind == "target" and block.labels:
                target = targets.setdefault(block.labels[0], {})
                for name, value in block.attributes.items():
                    earlier = target.get(name)
                    both = isinstance(earlier, dict) and isinstance(value, dict)
                    target[name] = {**earlier, **value} if both else value  # type: ignore[dict-item]
        return cls(variables, targets, declared, groups)

    def given(self, values: Mapping[str, str]) -> "BakeFile":
        """The file where the environment sets these of its variables."""
        overrides = {name: value for name, value in values.items() if name in self.declared}
        filled = {name: Template(Spanned.from_elsewhere(value)) for name, value in overrides.items()}
        variables: dict[str, Value] = {**self.variables, **filled}
        return replace(self, variables=variables, declared=self.declared - overrides.keys())

    def built(self, requested: Collection[str] | None) -> frozenset[str]:
        """The targets that are built where these, or groups of them, are named; without any, the default ones."""
        if requested is None:
            requested = ["default"] if "default" in self.groups or "default" in self.targets else list(self.targets)
        waiting, names = list(requested), set[str]()
        while waiting:
            here = waiting.pop()
            if here not in names:
                names.add(here)
                waiting += self.groups.get(here, ())
        return frozenset(names)

    def lineage(self, name: str) -> list[str]:
        """The target and all that it inherits from, those that win first: the last parent and its own parents."""
        waiting, ancestry = [name], list[str]()
        while waiting and len(ancestry) < MOST_INHERITED:
            here = waiting.pop(0)
            if here in ancestry or here not in self.targets:
                continue
            ancestry.append(here)
            inherits = self.targets[here].get("inherits", ())
            parents = inherits if isinstance(inherits, tuple) else ()
            waiting[:0] = [parent.written.text for parent in reversed(parents) if isinstance(parent, Template)]
        return ancestry

    def owner(self, name: str, attribute: str) -> str | None:
        """The target whose attribute it is that this one gets, its own or one that it inherits."""
        return next((target for target in self.lineage(name) if attribute in self.targets[target]), None)

    @property
    def inherited(self) -> set[str]:
        """The targets that others inherit from."""
        return {parent for name in self.targets for parent in self.lineage(name)[1:]}

    def value(self, name: str, attribute: str) -> Value | None:
        """An attribute of a target, its own or one that it inherits."""
        owner = self.owner(name, attribute)
        return self.targets[owner][attribute] if owner is not None else None

    def merged(self, name: str, attribute: str) -> dict[str, Value]:
        """An object attribute of a target with what it inherits."""
        entries: dict[str, Value] = {}
        for target in reversed(self.lineage(name)):
            value = self.targets[target].get(attribute)
            entries |= value if isinstance(value, dict) else {}
        return entries


def _texts(value: Value | None) -> tuple[str, ...]:
    items = value if isinstance(value, tuple) else ()
    return tuple(each.written.text for each in items if isinstance(each, Template))


def blocks_of_json(root: Node) -> list[HclBlock]:
    """JSON's form of the same: `{"target": {"app": {…}}}`, an object or a list of objects under each kind."""
    blocks: list[HclBlock] = []
    if not isinstance(root, JsonMapping):
        return blocks
    own: dict[str, Value] = {}
    for kind, node in root.entries():
        if kind.value not in {"target", "variable", "group", "function"}:
            own[kind.value] = _json_value(node)
        for labelled in _objects(node):
            for label, body in labelled.entries():
                for attributes in _objects(body):
                    values = {key.value: _json_value(value) for key, value in attributes.entries()}
                    blocks.append(HclBlock(kind.value, (label.value,), values))
    return [HclBlock("", (), own), *blocks]


def _objects(node: Node) -> list[JsonMapping]:
    nodes = node.items if isinstance(node, Sequence) else [node]
    return [item for item in nodes if isinstance(item, JsonMapping)]


def _json_value(node: Node) -> Value:
    match node:
        case Scalar():
            return Opaque("null", node.start) if node.is_null else Template(node.spanned)
        case Sequence():
            return tuple(_json_value(item) for item in node.items)
        case JsonMapping():
            return {key.value: _json_value(value) for key, value in node.entries()}
