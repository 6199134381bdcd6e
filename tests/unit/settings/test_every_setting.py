"""Every setting that the schema has, with values of other types, empty and huge ones: what is wrong ends in one
clear line that names it, in the words of whoever wrote it."""

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from bot.settings.model import json_schema
from tests.unit.settings.conftest import refusal

SCHEMA = json_schema()
OF_THE_PROGRAM = (
    *("pydantic", "Input", "instance", "dictionary", "should be", "validat", "Error", "type=", "NoneType", "__"),
    *("function-", "no valid value", "Traceback", "Warning"),
)
Place = tuple[str | int, ...]
HUGE, LONG = 10**40, "x" * 5000
WRONG: Mapping[str, Sequence[Any]] = {
    "string": ([], {"a": "b"}, ["x"], 3, True, "", "  ", LONG, HUGE),
    "integer": ([], {"a": 1}, "text", True, 1.5, HUGE, -1, "", float("nan")),
    "number": ([], {"a": 1}, "text", True, HUGE, -1, "", float("nan"), float("inf")),
    "boolean": ([], {"a": 1}, "text", 3, HUGE, "", 1.5),
    "array": ("text", 3, True, {"a": 1}, "", [[]], [None], ["" for _ in range(3)], [LONG]),
    "object": ("text", 3, True, "", ["x"], {"a": 1, "nowhere": {}}, {"x" * 500: 1}),
}
UNTYPED = {("policy", 0, "steps", 0, "inputs")}
"""What an input of a workflow says is that workflow's business."""
KEYS = {
    "registries": "mcr.microsoft.com",
    "mirrors": "mirror.example/a/*",
    "inputs": "name",
    "fix_within": "critical",
    "organizations": "contoso",
}


@pytest.fixture(autouse=True)
def empty_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each variable is looked at for each setting, thousands of times here."""
    for name in list(os.environ):
        if not name.startswith("PYTEST"):
            monkeypatch.delenv(name)


def options(node: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """The forms that a value may have."""
    if "$ref" in node:
        yield from options(SCHEMA["$defs"][node["$ref"].rpartition("/")[2]])
    elif "anyOf" in node:
        for option in node["anyOf"]:
            yield from options(option)
    else:
        yield node


def places(node: Mapping[str, Any], place: Place = ()) -> Iterator[tuple[Place, frozenset[str]]]:
    """Every place of the schema with the types that may stand there."""
    forms = list(options(node))
    if place:
        yield place, frozenset("string" if "enum" in form else str(form.get("type")) for form in forms)
    for form in forms:
        for name, inner in form.get("properties", {}).items():
            yield from places(inner, (*place, name))
        if isinstance(form.get("items"), dict):
            yield from places(form["items"], (*place, 0))
        if isinstance(form.get("additionalProperties"), dict):
            yield from places(form["additionalProperties"], (*place, KEYS[str(place[-1])]))


EVERY = dict(places(SCHEMA))


def document(place: Place, value: object) -> str:
    """Settings that say nothing but this; JSON is YAML too."""
    for part in reversed(place):
        value = [value] if isinstance(part, int) else {part: value}
    return json.dumps(value)


def wrong_values(types: frozenset[str]) -> list[Any]:
    """Values of none of these types; nothing where that may be left empty."""
    of_each = [WRONG[each] for each in types if each in WRONG]
    first, *others = of_each
    return [value for value in first if all(any(value is each for each in other) for other in others)]


def test_the_walk_sees_every_section() -> None:
    assert {place[0] for place in EVERY} == set(SCHEMA["properties"])
    assert len(EVERY) > 250


@pytest.mark.parametrize("section", sorted(SCHEMA["properties"]))
def test_what_is_wrong_is_told_in_one_clear_line_that_names_the_setting(tmp_path: Path, section: str) -> None:
    path = tmp_path / "freshness.yaml"
    taken, unclear = [], []
    for place, types in EVERY.items():
        if place[0] != section or place[:-1] in UNTYPED:
            continue
        for value in wrong_values(types):
            path.write_text(document(place, value))
            lines = refusal(path)
            if not lines:
                taken.append((place, str(value)[:20]))
            if not any(names(line, place) for line in lines) or any(is_unclear(line) for line in lines):
                unclear.append((place, str(value)[:20], lines))
    assert (taken, unclear) == ([], [])


def names(line: str, place: Place) -> bool:
    """Whether the line is about this setting, or about the section or list that it stands in."""
    own = [str(part) for part in place]
    return any(f": {'.'.join(own[:length])}" in line for length in range(len(own), 0, -1))


def is_unclear(line: str) -> bool:
    return "\n" in line or len(line) > 600 or any(word in line for word in OF_THE_PROGRAM)


def test_what_has_a_pattern_has_an_example_to_be_told() -> None:
    without = [
        place
        for place, _ in EVERY.items()
        for form in (option for node in nodes(SCHEMA, place) for option in options(node))
        if "pattern" in form and not form.get("examples")
    ]
    assert without == []


def nodes(node: Mapping[str, Any], place: Place) -> Iterator[Mapping[str, Any]]:
    """What the schema has at a place, in each form of what stands above it."""
    if not place:
        yield node
        return
    for form in options(node):
        below = form.get("items") if isinstance(place[0], int) else form.get("properties", {}).get(place[0])
        below = below or form.get("additionalProperties")
        if isinstance(below, dict):
            yield from nodes(below, place[1:])
