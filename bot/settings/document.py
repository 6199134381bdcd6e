"""The text of a settings file: read within bounds, and strictly, since a slip in it steers a whole fleet."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

_LARGEST_FILE = 1024 * 1024
_DEEPEST = 32
_KEY_TAG = "tag:yaml.org,2002:str"
_NUMBER_TAGS = frozenset({"tag:yaml.org,2002:int", "tag:yaml.org,2002:float"})
_NUMBER = re.compile(
    r"[-+]?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?[0-9]+)?|[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)", re.ASCII
)
"""As YAML 1.2 and everybody reads them: of `010`, `1:30`, `0x10` and `1_000` YAML 1.1 makes another number."""


class BadSettings(Exception):
    """One line for each thing wrong: where, what, what to do."""

    def __init__(self, lines: list[str]) -> None:
        self.lines = lines
        super().__init__("\n".join(lines))


@dataclass(frozen=True, slots=True)
class SettingsDocument:
    """What the file says, and the nodes that know their lines."""

    values: dict[str, Any]
    root: yaml.Node | None


def read(path: Path) -> SettingsDocument:
    """Reads settings; an empty file has no values.

    Raises `BadSettings` for anything that is no plain mapping of YAML.
    """
    text = _text(path)
    try:
        _check_shape(path, text)
        root = yaml.compose(text, yaml.SafeLoader)
        if root is None:
            return SettingsDocument({}, None)
        if not isinstance(root, yaml.MappingNode):
            shape = "a list" if isinstance(root, yaml.SequenceNode) else "a single value"
            raise BadSettings([f"{path}:1: expected keys such as github: and registries:, found {shape}"])
        _check_nodes(path, root)
        return SettingsDocument(yaml.SafeLoader("").construct_document(root), root)
    except yaml.YAMLError as error:
        raise _no_yaml(path, text, error) from error


def _text(path: Path) -> str:
    try:
        with path.open("rb") as file:
            data = file.read(_LARGEST_FILE + 1)
    except OSError as error:
        raise BadSettings([f"{path}: cannot be read: {error.strerror}; give the file with --config"]) from error
    if len(data) > _LARGEST_FILE:
        raise BadSettings([f"{path}: larger than 1 MiB; this is no settings file"])
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise BadSettings([f"{path}:{line}: no UTF-8 text (byte {error.start}); save it as UTF-8"]) from error


def _check_shape(path: Path, text: str) -> None:
    """Checks size and depth before anything is built: aliases can blow up, deep nesting ends the recursion."""
    depth = 0
    for event in yaml.parse(text, yaml.SafeLoader):
        line = event.start_mark.line + 1 if event.start_mark else 1
        if isinstance(event, yaml.AliasEvent):
            raise BadSettings(
                [f"{path}:{line}: aliases (*{event.anchor}) are not allowed here; write the values out"]
            )
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        if depth > _DEEPEST:
            raise BadSettings([f"{path}:{line}: nested more than {_DEEPEST} levels deep; this is no settings file"])


def _check_nodes(path: Path, root: yaml.Node) -> None:
    """YAML's last one of two equal keys would win in silence; and 2024-13-45 looks like a date to it."""
    wrong: list[tuple[int, str]] = []
    loader = yaml.SafeLoader("")
    waiting = [root]
    while waiting:
        node = waiting.pop()
        if isinstance(node, yaml.ScalarNode) and (defect := _scalar_defect(loader, node)) is not None:
            wrong.append((node.start_mark.line + 1, defect))
        if isinstance(node, yaml.SequenceNode):
            waiting += node.value
        if not isinstance(node, yaml.MappingNode):
            continue
        first: dict[str, int] = {}
        for key, value in node.value:
            waiting.append(value)
            line = key.start_mark.line + 1
            if not isinstance(key, yaml.ScalarNode) or key.tag != _KEY_TAG:
                written = f" {key.value}" if isinstance(key, yaml.ScalarNode) else ""
                wrong.append((line, f"key{written} is no text; put it in quotes"))
            elif key.value in first:
                wrong.append((line, f"{key.value} is set here and in line {first[key.value]}; keep one of them"))
            else:
                first[key.value] = line
    if wrong:
        raise BadSettings([f"{path}:{line}: {what}" for line, what in sorted(wrong)])


def _scalar_defect(loader: yaml.SafeLoader, node: yaml.ScalarNode) -> str | None:
    """What is wrong with a value; None where nothing is."""
    try:
        read_as = loader.construct_object(node)
    except ValueError:
        return "no such date or number; put text in quotes"
    if node.tag in _NUMBER_TAGS and not _NUMBER.fullmatch(node.value):
        return (
            f"{node.value[:30]} would be read as {str(read_as)[:30]}; write a number in decimal, or text in quotes"
        )
    return None


def _no_yaml(path: Path, text: str, error: yaml.YAMLError) -> BadSettings:
    if isinstance(error, yaml.reader.ReaderError):
        line = text.count("\n", 0, error.position) + 1
        return BadSettings([f"{path}:{line}: no valid YAML: {error.reason}"])
    mark = getattr(error, "problem_mark", None)
    place = f":{mark.line + 1}" if mark else ""
    parts = (getattr(error, "context", None), getattr(error, "problem", None))
    what = ", ".join(part for part in parts if part) or "it cannot be read"
    return BadSettings([f"{path}{place}: no valid YAML: {what}"])
