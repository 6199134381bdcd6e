"""Pipelines with their templates put in, as Azure DevOps shows them before a run."""

from collections.abc import Mapping
from typing import Any

import yaml

Json = Any
_LISTS = ("stages", "jobs", "steps")


def expanded(pipeline: Mapping[str, Json], templates: Mapping[str, str]) -> str:
    """The text of a pipeline; raises `KeyError` with the name of a template that is not there."""
    return yaml.safe_dump(_expanded(pipeline, templates), sort_keys=False)


def _expanded(node: Json, templates: Mapping[str, str]) -> Json:
    if isinstance(node, list):
        return [each for item in node for each in _items(item, templates)]
    if not isinstance(node, Mapping):
        return node
    own = {key: _expanded(each, templates) for key, each in node.items() if key not in ("extends", "resources")}
    return own | (_template(node["extends"], templates) if "extends" in node else {})


def _items(item: Json, templates: Mapping[str, str]) -> list[Json]:
    """One item of a list, or those that its template has in its place."""
    if not isinstance(item, Mapping) or "template" not in item:
        return [_expanded(item, templates)]
    found = _template(item, templates)
    return next((found[key] for key in _LISTS if key in found), [])


def _template(use: Mapping[str, Json], templates: Mapping[str, str]) -> dict[str, Json]:
    text = templates[use["template"]]
    declared = yaml.safe_load(text).get("parameters", ())
    values = {each["name"]: each.get("default") for each in declared} | dict(use.get("parameters") or {})
    for name, value in values.items():
        text = text.replace(f"${{{{ parameters.{name} }}}}", str(value))
    shown = _expanded(yaml.safe_load(text), templates)
    return {key: each for key, each in shown.items() if key != "parameters"}
