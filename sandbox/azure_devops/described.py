"""Holds requests to Azure DevOps, and what is answered in its place, to the Swagger files of its maker."""

import json
import lzma
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

UNCHECKED = frozenset(
    {
        ("GET", "/{organization}/_apis/connectionData"),
        ("POST", "/{organization}/_apis/security/permissionevaluationbatch"),
        ("GET", "/{organization}/{project}/_apis/build/builds/{buildId}/timeline"),
        ("GET", "/{organization}/{project}/_apis/pipelines/approvals"),
        ("GET", "/{organization}/_apis/identities"),
    }
)
"""Routes that the files do not list though the service has them: nothing about them is held to anything."""
UNLISTED = frozenset({"_links", "process", "isFolder", "path", "settings"})
"""What the service answers though the files leave it out: addresses, where an item is, what a policy is set to, and
by what a definition builds, which is of several kinds."""
BAG = "PropertiesCollection"
"""What the files describe by its keys and values, and the service answers as values by their names."""
AREAS = ("build", "core", "git", "hooks", "pipelines", "policy")
Json = Any


@dataclass(frozen=True, slots=True)
class Route:
    """One operation of a file, by its method and the template of its path; `named` are parameters by which it is
    told from another at the same path."""

    method: str
    template: str
    operation: Mapping[str, Json]
    document: Mapping[str, Json]
    named: frozenset[str] = frozenset()

    def fits(self, method: str, path: str, query: Collection[str]) -> bool:
        """Whether it is what is asked. Of all projects is asked where the name of one may be left out."""
        if method != self.method or not self.named <= set(query):
            return False
        is_project_open = any(
            each["name"] == "project" and each.get("x-ms-required") is False for each in self.parameters()
        )
        templates = [self.template, *([self.template.replace("/{project}", "")] if is_project_open else [])]
        return any(_fits(each, path) for each in templates)

    def parameters(self) -> Iterator[Mapping[str, Json]]:
        """Those that are written out, and those that the file refers to."""
        for each in self.operation.get("parameters", ()):
            yield _resolved(each, self.document)


def route_of(folder: Path, method: str, path: str, query: Collection[str] = ()) -> Route | None:
    """The route of a request; where several fit, the one whose template has fewest names in it, and of these the
    one that most of the query tells."""
    fitting = [each for each in _routes(folder) if each.fits(method, path, query)]
    return min(fitting, key=lambda each: (each.template.count("{"), -len(each.named)), default=None)


def mistakes_of_request(folder: Path, method: str, path: str, query: Mapping[str, str], body: Json) -> list[str]:
    """What about a request is not as described; nothing of a route that is `UNCHECKED`."""
    if any(method == each and _fits(template, path) for each, template in UNCHECKED):
        return []
    route = route_of(folder, method, path, query)
    if route is None:
        return [f"no such operation is described: {method} {path}"]
    named = {each["name"]: each for each in route.parameters() if each["in"] == "query"}
    wrong = [f"{name} is no parameter of it" for name in query if name not in named]
    wrong += [f"{name} is missing" for name, each in named.items() if each.get("required") and name not in query]
    for name, value in query.items():
        known = named.get(name, {}).get("enum")
        wrong += [f"{name} is {value!r}"] if known and value not in known else []
    schema = next((each["schema"] for each in route.parameters() if each["in"] == "body"), None)
    return wrong + (_mistakes_in(body, schema, route.document, "body") if schema is not None else [])


def mistakes_of_answer(folder: Path, method: str, path: str, query: Collection[str], answer: Json) -> list[str]:
    """What about the JSON of a right answer is not as described."""
    route = route_of(folder, method, path, query)
    if route is None or any(method == each and _fits(template, path) for each, template in UNCHECKED):
        return []
    schema = route.operation["responses"]["200"].get("schema", {})
    if schema.get("$ref") == f"#/definitions/{BAG}":
        return []
    if schema.get("type") == "array":
        return _mistakes_in(answer.get("value"), schema, route.document, "value")
    return _mistakes_in(answer, schema, route.document, "answer")


def _mistakes_in(value: Json, schema: Mapping[str, Json], document: Mapping[str, Json], at: str) -> list[str]:
    schema = _resolved(schema, document)
    if isinstance(value, dict):
        named, others = _properties(schema, document), schema.get("additionalProperties")
        wrong: list[str] = []
        for key, each in value.items():
            part = named.get(key, others)
            if key in UNLISTED:
                continue
            if part is None:
                wrong.append(f"{at}.{key} is not described")
            elif isinstance(part, dict):
                wrong += _mistakes_in(each, part, document, f"{at}.{key}")
        return wrong
    if isinstance(value, list):
        made_of = (schema, *(_resolved(each, document) for each in schema.get("allOf", ())))
        parts: Mapping[str, Json] = next((each["items"] for each in made_of if "items" in each), {})
        return [
            mistake
            for number, each in enumerate(value)
            for mistake in _mistakes_in(each, parts, document, f"{at}[{number}]")
        ]
    known = schema.get("enum")
    return [f"{at} is {value!r}"] if known and value is not None and value not in known else []


def _properties(schema: Mapping[str, Json], document: Mapping[str, Json]) -> Mapping[str, Json]:
    """Its own and those of all that it is made of."""
    named = dict(schema.get("properties", {}))
    for part in schema.get("allOf", ()):
        named |= _properties(_resolved(part, document), document)
    return named


def _resolved(schema: Mapping[str, Json], document: Mapping[str, Json]) -> Mapping[str, Json]:
    reference = schema.get("$ref")
    if reference is None:
        return schema
    kind, name = reference.removeprefix("#/").split("/")
    found: Mapping[str, Json] = document[kind][name]
    return found


def _fits(template: str, path: str) -> bool:
    return re.fullmatch(re.sub(r"\{[^}]+\}", "[^/]+", template), path) is not None


def _named_in(template: str) -> frozenset[str]:
    """The parameters that stand in the query of a template."""
    return frozenset(re.findall(r"\{([^}]+)\}", template.partition("?")[2]))


@cache
def _routes(folder: Path) -> tuple[Route, ...]:
    found: list[Route] = []
    for area in AREAS:
        with lzma.open(folder / f"{area}-7.1.json.xz", "rt", encoding="utf-8-sig") as file:
            document = json.load(file)
        operations = [*document["paths"].items(), *document.get("x-ms-paths", {}).items()]
        found += [
            Route(method.upper(), template.partition("?")[0], operation, document, _named_in(template))
            for template, each in operations
            for method, operation in each.items()
            if method in ("get", "post", "patch", "put", "delete")
        ]
    return tuple(found)
