"""Checks answers against GitHub's published OpenAPI description."""

import json
import re
from functools import lru_cache
from typing import Any

from jsonschema import Draft202012Validator

from sandbox import parts

NULL_ALL_THE_SAME = re.compile(r"\.labels\[\d+\]\.description$")
"""GitHub answers null for a label without a description, though some of its schemas say text."""

COMPONENT = "#/components/schemas/"


class Description:
    """Read on first use (13 MB). Raises `parts.MissingPart` where the npm package is not installed."""

    def __init__(self) -> None:
        parts.require("openapi")
        document: dict[str, Any] = json.loads(parts.OPENAPI.read_bytes())
        self._paths = document["paths"]
        self._schemas = document["components"]["schemas"]
        self._responses = document["components"].get("responses", {})
        self._validators: dict[tuple[str, str, str], Draft202012Validator | None] = {}

    def complaints(self, method: str, path: str, status: int, body: object) -> list[str]:
        """What is wrong with this answer; `path` is the description's own template.

        A status that the description does not list for the operation is a complaint as well.
        """
        operation = self._paths.get(path, {}).get(method.lower())
        if operation is None:
            return [f"GitHub describes no {method} {path}"]
        answer = operation["responses"].get(str(status))
        if answer is None:
            return [f"{method} {path} never answers {status}"]
        if (reference := answer.get("$ref")) is not None:
            answer = self._responses[reference.rpartition("/")[2]]
        validator = self._validator((method, path, str(status)), _schema_of(answer))
        return self._errors(validator, body, f"{method} {path} {status}")

    def _errors(self, validator: Draft202012Validator | None, body: object, where: str) -> list[str]:
        if validator is None:
            return [] if body is None else [f"{where}: a body where none is described"]
        return [
            f"{where}: {error.json_path}: {error.message[:300]}"
            for error in validator.iter_errors(body)
            if not (error.instance is None and NULL_ALL_THE_SAME.search(error.json_path))
        ]

    def _validator(self, key: tuple[str, str, str], schema: dict[str, Any] | None) -> Draft202012Validator | None:
        if key not in self._validators:
            self._validators[key] = None if schema is None else Draft202012Validator(self._self_contained(schema))
        return self._validators[key]

    def _self_contained(self, schema: dict[str, Any]) -> dict[str, Any]:
        definitions: dict[str, Any] = {}
        waiting = [schema]
        while waiting:
            for name in _references(waiting.pop()) - definitions.keys():
                definitions[name] = _as_json_schema(self._schemas[name])
                waiting.append(self._schemas[name])
        return {**_as_json_schema(schema), "$defs": definitions}


@lru_cache(maxsize=1)
def description() -> Description:
    return Description()


def _schema_of(holder: dict[str, Any]) -> dict[str, Any] | None:
    schema: dict[str, Any] | None = holder.get("content", {}).get("application/json", {}).get("schema")
    return schema


def _references(node: Any) -> set[str]:
    if isinstance(node, list):
        return set().union(*(_references(item) for item in node))
    if not isinstance(node, dict):
        return set()
    found = set().union(*(_references(value) for value in node.values()))
    reference = node.get("$ref")
    return found | ({reference.removeprefix(COMPONENT)} if isinstance(reference, str) else set())


def _as_json_schema(node: Any) -> Any:
    """OpenAPI 3.0's dialect in JSON Schema's words: `nullable` becomes another alternative."""
    if isinstance(node, list):
        return [_as_json_schema(item) for item in node]
    if not isinstance(node, dict):
        return node
    plain = {
        key: _as_json_schema(value) for key, value in node.items() if key not in ("nullable", "example", "examples")
    }
    if isinstance(plain.get("$ref"), str):
        plain["$ref"] = plain["$ref"].replace(COMPONENT, "#/$defs/")
    return {"anyOf": [plain, {"type": "null"}]} if node.get("nullable") is True else plain
