"""A defect that pydantic found, in an operator's words: no class names, and no values, which may be secrets."""

import difflib
from collections.abc import Mapping, Sequence
from typing import Any

import yaml
from pydantic_core import ErrorDetails

from bot.domain.wording.words import counted
from bot.settings.model import json_schema

Place = Sequence[str | int]
_LONGEST_LISTING = 12

_EXPECTED = {
    "string_type": "text",
    "int_type": "a whole number",
    "int_parsing": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "float_parsing": "a number",
    "finite_number": "a number",
    "bool_type": "true or false",
    "bool_parsing": "true or false",
    "list_type": "a list",
    "path_type": "a path",
}
_PLAIN = {
    "string_too_short": "expected a name, found an empty one",
}
_WITH_PARTS = (None, "object", "array")
"""Types in the JSON Schema of what has keys or entries; a reference to a section has none."""
_SECTIONS = frozenset({"model_type", "model_attributes_type", "dict_type"})


def defect_in_words(defect: ErrorDetails) -> str:
    """What is wrong and what to write instead, on one line."""
    place, limits = defect["loc"], defect.get("ctx", {})
    match defect["type"]:
        case "extra_forbidden":
            return f"unknown key{guess(str(place[-1]), _known_keys(place[:-1]))}"
        case "missing":
            return f"missing{_described(place)}"
        case "value_error":
            return str(limits["error"])
        case "enum" | "literal_error":
            return f"expected one of {_one_line(str(limits['expected']))}"
        case "greater_than_equal":
            return f"expected at least {limits['ge']}"
        case "less_than_equal":
            return f"expected at most {limits['le']}"
        case "too_long":
            return f"more than {limits['max_length']} entries; leave some out"
        case "too_short":
            return f"expected at least {counted(limits['min_length'], 'entry')}"
        case "string_too_long":
            return f"longer than {limits['max_length']} characters"
        case kind if kind in _SECTIONS:
            defaults = "; write {} for the defaults" if defect["input"] is None else ""
            return f"expected {_keys(place)}, found {_found(defect['input'])}{defaults}"
        case kind if kind in _EXPECTED:
            quotes = "; put it in quotes" if kind == "string_type" else ""
            return f"expected {_EXPECTED[kind]}, found {_found(defect['input'])}{quotes}"
        case "string_pattern_mismatch":
            return f"does not fit; write for example {_example(place)}{_described(place)}"
        case kind if kind in _PLAIN:
            return _PLAIN[kind]
        case kind:
            return f"no valid value ({kind.replace('_', ' ')})"


def line_number_of(node: yaml.Node | None, place: Place) -> int:
    """The line, from 1, of the deepest part of `place` that the file has."""
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


def guess(word: str, known: Sequence[str]) -> str:
    near = difflib.get_close_matches(word.lower(), known, 1)
    if near:
        return f"; did you mean {near[0]!r}?"
    return f"; known here: {', '.join(known[:_LONGEST_LISTING])}" if known else ""


def is_single(place: Place) -> bool:
    """Whether what is set there is one value, without anything below it."""
    return _resolved(json_schema(), _node(place)).get("type") not in (None, "object", "array")


def _keys(place: Place) -> str:
    known = _known_keys(place)
    return f"keys such as {known[0]}: below it" if known else "keys below it"


def _found(value: object) -> str:
    match value:
        case None:
            return "nothing"
        case bool():
            return "true" if value else "false"
        case str():
            return "text"
        case int() | float():
            return f"{value}"[:20]
        case Mapping():
            return "keys"
        case list() | tuple():
            return "a list"
        case _:
            return "a date"


def _described(place: Place) -> str:
    text = _node(place).get("description")
    if not isinstance(text, str) or not text:
        return ""
    is_word = text[1:2].islower() or text[1:2] == " "
    return f"; {text[0].lower() if is_word else text[0]}{text[1:].rstrip('.')}"


def _example(place: Place) -> str:
    """How somebody else has written what stands there; a name of a key has its own."""
    schema = json_schema()
    node, owner = _node(place), _resolved(schema, _node(place[:-1]))
    forms = [node, *node.get("anyOf", ()), *owner.get("patternProperties", {}).values()]
    return next((" or ".join(map(str, form["examples"])) for form in forms if "examples" in form), "a name")


def _known_keys(place: Place) -> list[str]:
    schema = json_schema()
    return list(_resolved(schema, _node(place)).get("properties", {}))


def _node(place: Place) -> dict[str, Any]:
    """The part of the JSON Schema that describes what stands at `place`."""
    schema = json_schema()
    node: Any = schema
    for part in place:
        parent = _resolved(schema, node)
        if isinstance(part, int):
            node = parent.get("items", {})
        else:
            node = parent.get("properties", {}).get(part) or parent.get("additionalProperties") or {}
    return node if isinstance(node, dict) else {}


def _resolved(schema: Mapping[str, Any], node: Any) -> dict[str, Any]:
    for _ in range(4):
        if not isinstance(node, dict):
            return {}
        if "$ref" in node:
            node = schema["$defs"][node["$ref"].rpartition("/")[2]]
        elif "anyOf" in node:
            node = next((option for option in node["anyOf"] if option.get("type") in _WITH_PARTS), {})
        else:
            return node
    return node if isinstance(node, dict) else {}


def _one_line(text: str) -> str:
    return " ".join(text.split())
