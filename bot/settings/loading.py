"""Reading the settings file: every defect ends in one line with its place."""

import difflib
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from bot.settings.model import ENVIRONMENT_PREFIX, Settings

_LARGEST_FILE = 1024 * 1024


class BadSettings(Exception):
    """One line for each thing wrong: where, what, what to do."""

    def __init__(self, lines: list[str]) -> None:
        self.lines = lines
        super().__init__("\n".join(lines))


def load(path: Path) -> Settings:
    """Reads and checks the file; raises `BadSettings` naming every defect with its line."""
    text = _text(path)
    try:
        node = yaml.compose(text, yaml.SafeLoader)
        values = yaml.safe_load(text) if node is not None and not _has_alias(text) else {}
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = f":{mark.line + 1}" if mark else ""
        raise BadSettings([f"{path}{line}: no valid YAML: {getattr(error, 'problem', None) or error}"]) from error
    if _has_alias(text):
        raise BadSettings([f"{path}: aliases (*name) are not allowed here; write the values out"])
    if not isinstance(values, dict):
        raise BadSettings(
            [f"{path}:1: expected keys such as github: and registries:, found {type(values).__name__}"]
        )
    unknown = _unknown_environment()
    try:
        settings = Settings(**values)
    except ValidationError as error:
        raise BadSettings(unknown + [_line(path, node, defect) for defect in error.errors()]) from error
    if unknown:
        raise BadSettings(unknown)
    return settings


def _text(path: Path) -> str:
    try:
        if path.stat().st_size > _LARGEST_FILE:
            raise BadSettings([f"{path}: larger than 1 MiB; this is no settings file"])
        return path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise BadSettings([f"{path}: cannot be read: {error.strerror}; give the file with --config"]) from error
    except UnicodeDecodeError as error:
        raise BadSettings([f"{path}: no UTF-8 text (byte {error.start})"]) from error


def _has_alias(text: str) -> bool:
    return any(isinstance(token, yaml.AliasToken) for token in yaml.scan(text, yaml.SafeLoader))


def _unknown_environment() -> list[str]:
    """pydantic-settings ignores names that it does not know; a misspelt one must not go unnoticed."""
    lines = []
    for name in sorted(os.environ):
        if not name.startswith(ENVIRONMENT_PREFIX):
            continue
        top = name.removeprefix(ENVIRONMENT_PREFIX).split("__")[0].lower()
        if top not in Settings.model_fields:
            lines.append(f"environment {name}: unknown setting{_guess(top, list(Settings.model_fields))}")
    return lines


def _line(path: Path, root: yaml.Node | None, defect: Mapping[str, Any]) -> str:
    place = [part for part in defect["loc"] if not (isinstance(part, str) and part.startswith("function-"))]
    number = _line_number(root, place)
    where = f"{path}:{number}: {'.'.join(str(part) for part in place)}"
    match defect["type"]:
        case "extra_forbidden":
            return f"{where}: unknown key{_guess(str(place[-1]), _known_keys(place[:-1]))}"
        case "missing":
            return f"{where}: missing"
        case _:
            message = str(defect["msg"]).removeprefix("Value error, ")
            return f"{where}: {message[0].lower()}{message[1:]}"


def _line_number(node: yaml.Node | None, place: list[Any]) -> int:
    line = 1
    for part in place:
        if isinstance(node, yaml.MappingNode):
            pair = next(((key, value) for key, value in node.value if key.value == str(part)), None)
            if pair is None:
                break
            line, node = pair[0].start_mark.line + 1, pair[1]
        elif isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
            node = node.value[part]
            line = node.start_mark.line + 1
        else:
            break
    return line


def _known_keys(place: list[Any]) -> list[str]:
    schema = Settings.model_json_schema()
    node: Any = schema
    for part in place:
        node = _resolved(schema, node)
        node = (
            node.get("items")
            if isinstance(part, int)
            else (node.get("properties", {}).get(part) or node.get("additionalProperties") or {})
        )
    return list(_resolved(schema, node).get("properties", {}))


def _resolved(schema: Mapping[str, Any], node: Any) -> dict[str, Any]:
    for _ in range(4):
        if not isinstance(node, dict):
            return {}
        if "$ref" in node:
            node = schema["$defs"][node["$ref"].rpartition("/")[2]]
        elif "anyOf" in node:
            node = next((option for option in node["anyOf"] if option.get("type") != "null"), {})
        else:
            return node
    return node if isinstance(node, dict) else {}


def _guess(word: str, known: list[str]) -> str:
    near = difflib.get_close_matches(word, known, 1)
    return f"; did you mean {near[0]!r}?" if near else (f"; known here: {', '.join(known)}" if known else "")
