"""Checks requests and answers against GitHub's published OpenAPI description. Source: npm `@octokit/openapi`."""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from jsonschema import Draft202012Validator, ValidationError

from sandbox.programs import parts

NULL_ALL_THE_SAME = re.compile(r"\.labels\[\d+\]\.description$")
"""GitHub answers null for a label without a description, though some of its schemas say text."""

USER_AND_ENTERPRISE = re.compile(r"^\$\[\d+\]\.account$")
"""The owner of a listed installation is described as a user and an enterprise at once; it is one of them."""

BARE_LABELS = "/labels"
"""Labels may also come as a list without a key: the description says so in prose only."""

COMPONENT = "#/components/schemas/"
JSON = "application/json"
DOTCOM = "api.github.com"

Json = Any


@dataclass(frozen=True, slots=True)
class Operation:
    """One method of one path in GitHub's description of its REST API."""

    method: str
    template: str
    """The description's own path, with its parameters in braces."""
    about: Json
    pattern: re.Pattern[str]

    @property
    def notifies(self) -> bool:
        """Whether GitHub tells people of it: what it calls content."""
        return bool(self.about.get("x-github", {}).get("triggersNotification"))

    @property
    def is_for_apps(self) -> bool:
        return bool(self.about.get("x-github", {}).get("enabledForGitHubApps", True))


class Description:
    """One server's: github.com (13 MB) or a version of GitHub Enterprise Server.

    Raises `parts.MissingPart` where the npm package is not installed.
    """

    def __init__(self, server: str) -> None:
        parts.require("openapi")
        document = json.loads((parts.OPENAPI / f"{server}.json").read_bytes())
        self._paths = document["paths"]
        self._components = document["components"]
        self._validators: dict[tuple[str, ...], Draft202012Validator | None] = {}
        self._operations = sorted(
            self._all_operations(), key=lambda one: (one.template.count("{"), -len(one.template))
        )

    # --- answers ---

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
        validator = self._validator((method, path, str(status)), _schema_of(self._whole(answer)))
        where = f"{method} {path} {status}"
        if validator is None:
            return [] if body is None else [f"{where}: a body where none is described"]
        return [
            f"{where}: {error.json_path}: {error.message[:300]}"
            for error in validator.iter_errors(body)
            if not (error.instance is None and NULL_ALL_THE_SAME.search(error.json_path))
            and not USER_AND_ENTERPRISE.search(error.json_path)
        ]

    def describes(self, operation: Operation, status: int) -> bool:
        """Whether the description says what such an answer holds."""
        answer = operation.about["responses"].get(str(status))
        return answer is not None and _schema_of(self._whole(answer)) is not None

    # --- requests ---

    def operation(self, method: str, path: str) -> Operation | None:
        """The one that a request means; the template with the fewest parameters wins, then the longest."""
        return next((one for one in self._operations if one.method == method and one.pattern.fullmatch(path)), None)

    def mistakes(self, operation: Operation, path: str, query: Mapping[str, str], body: object) -> list[str]:
        """What of a request does not fit, each as GitHub would put it; `body` is None where there is none."""
        described = [self._whole(parameter) for parameter in operation.about.get("parameters", ())]
        wrong = list(self._wrong_parameters(operation, path, query, described))
        request_body = operation.about.get("requestBody")
        if request_body is None:
            return [*wrong, "a body where none is described"] if body not in (None, {}) else wrong
        request_body = self._whole(request_body)
        if isinstance(body, list) and operation.template.endswith(BARE_LABELS):
            body = {"labels": body}
        if body is None and not request_body.get("required"):
            return wrong
        validator = self._validator((operation.method, operation.template), _schema_of(request_body), strict=True)
        if validator is not None:
            wrong += [_said(error) for error in validator.iter_errors({} if body is None else body)]
        return wrong

    def _wrong_parameters(
        self, operation: Operation, path: str, query: Mapping[str, str], described: list[Json]
    ) -> Iterable[str]:
        found = operation.pattern.fullmatch(path)
        in_path = dict(zip(_names(operation.template), found.groups() if found else (), strict=False))
        for where, given in (("path", in_path), ("query", query)):
            known = {row["name"]: row for row in described if row["in"] == where}
            if where == "query":
                yield from (f'"{name}" is not a documented parameter.' for name in given.keys() - known.keys())
            for name, row in known.items():
                if name not in given:
                    if row.get("required"):
                        yield f'"{name}" wasn\'t supplied.'
                    continue
                validator = self._validator((operation.method, operation.template, where, name), row["schema"])
                if validator is not None and not validator.is_valid(_typed(given[name], self._type(row["schema"]))):
                    yield f"For '{where}/{name}', {json.dumps(given[name])} is not what is described."

    # --- the document ---

    def _all_operations(self) -> Iterable[Operation]:
        for template, methods in self._paths.items():
            for method, about in methods.items():
                rows = [self._whole(row) for row in about.get("parameters", ())]
                long = {row["name"] for row in rows if row.get("x-multi-segment")}
                yield Operation(method.upper(), template, about, _pattern(template, long))

    def _whole(self, node: Json) -> Json:
        """A part of the document itself, where there is only a reference to it."""
        if (reference := node.get("$ref")) is None:
            return node
        _, _, kind, name = reference.split("/")
        return self._components[kind][name]

    def _type(self, schema: Json) -> str:
        whole = self._whole(schema)
        if "oneOf" in whole:
            return " ".join(self._type(option) for option in whole["oneOf"])
        return str(whole.get("type", "string"))

    def _validator(
        self, key: tuple[str, ...], schema: Json | None, *, strict: bool = False
    ) -> Draft202012Validator | None:
        if key not in self._validators:
            whole = None if schema is None else Draft202012Validator(self._self_contained(schema, strict))
            self._validators[key] = whole
        return self._validators[key]

    def _self_contained(self, schema: Json, strict: bool) -> Json:
        definitions: dict[str, Any] = {}
        waiting = [schema]
        while waiting:
            for name in _references(waiting.pop()) - definitions.keys():
                definitions[name] = _as_json_schema(self._components["schemas"][name], strict)
                waiting.append(self._components["schemas"][name])
        return {**_as_json_schema(schema, strict), "$defs": definitions}


@lru_cache(maxsize=3)
def description(server: str = DOTCOM) -> Description:
    return Description(server)


def _schema_of(holder: Json) -> Json | None:
    return holder.get("content", {}).get(JSON, {}).get("schema")


def _names(template: str) -> list[str]:
    return re.findall(r"{([^}]+)}", template)


def _pattern(template: str, long: set[str]) -> re.Pattern[str]:
    pieces = re.split(r"({[^}]+})", template)
    written = [
        (("(.+)" if piece[1:-1] in long else "([^/]+)") if piece.startswith("{") else re.escape(piece))
        for piece in pieces
    ]
    return re.compile("".join(written))


def _typed(text: str, kind: str) -> Json:
    """A parameter of a path or query as the value that it stands for."""
    if "integer" in kind and re.fullmatch(r"-?\d{1,18}", text):
        return int(text)
    if "boolean" in kind and text in ("true", "false"):
        return text == "true"
    return text


def _said(error: ValidationError) -> str:
    """In GitHub's words where they are known."""
    place = "/".join(["properties", *(str(part) for part in error.absolute_path)])
    schema: Json = error.schema
    expected: Json = error.validator_value
    given: Json = error.instance
    if error.validator == "additionalProperties":
        return "; ".join(f'"{name}" is not a permitted key.' for name in given if name not in schema["properties"])
    if error.validator == "required":
        missing = next(name for name in expected if name not in given)
        return f'"{missing}" wasn\'t supplied.'
    if error.validator == "type":
        return f"For '{place}', {json.dumps(given)[:100]} is not a {expected}."
    return f"For '{place}', {error.message[:200]}"


def _references(node: Any) -> set[str]:
    """The schemas that a schema is made of; an example may stand for itself elsewhere."""
    if isinstance(node, list):
        return set().union(*(_references(item) for item in node))
    if not isinstance(node, dict):
        return set()
    found = set().union(*(_references(value) for value in node.values()))
    reference = node.get("$ref")
    if isinstance(reference, str) and reference.startswith(COMPONENT):
        found.add(reference.removeprefix(COMPONENT))
    return found


def _as_json_schema(node: Any, strict: bool) -> Any:
    """OpenAPI 3.0's dialect in JSON Schema's words: `nullable` becomes another alternative.

    With `strict` an object has no keys but those that are described.
    """
    if isinstance(node, list):
        return [_as_json_schema(item, strict) for item in node]
    if not isinstance(node, dict):
        return node
    plain = {
        key: _as_json_schema(value, strict)
        for key, value in node.items()
        if key not in ("nullable", "example", "examples")
    }
    if isinstance(plain.get("$ref"), str):
        plain["$ref"] = plain["$ref"].replace(COMPONENT, "#/$defs/")
    if strict and plain.get("type") == "object" and isinstance(plain.get("properties"), dict):
        plain.setdefault("additionalProperties", False)
    return {"anyOf": [plain, {"type": "null"}]} if node.get("nullable") is True else plain
