"""Which files name references, and what each of them names."""

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from importlib import import_module

from bot.discover import marker
from bot.discover.text import decode
from bot.domain.usage import Findings, Kind, Problem

LARGEST_FILE = 1 << 20
"""Bytes: a Dockerfile or manifest beyond that was not written by hand."""

_NAMES: tuple[tuple[Kind, re.Pattern[str]], ...] = tuple(
    (kind, re.compile(pattern))
    for kind, pattern in (
        (
            Kind.DOCKERFILE,
            r"(?:.*/)?(?:(?:[Dd]ocker|[Cc]ontainer)file(?:\..+)?|[^/]+\.(?:[Dd]ocker|[Cc]ontainer)file)",
        ),
        (Kind.WORKFLOW, r"(?:.*/)?\.github/workflows/[^/]+\.ya?ml|(?:.*/)?action\.ya?ml"),
        (Kind.COMPOSE, r"(?:.*/)?(?:docker-)?compose[^/]*\.ya?ml"),
        (Kind.BAKE, r"(?:.*/)?(?:docker-bake[^/]*\.(?:hcl|json)|[^/]*bake[^/]*\.hcl)"),
        (Kind.DEVCONTAINER, r"(?:.*/)?(?:\.?devcontainer\.json|\.devcontainer/(?:.*/)?devcontainer\.json)"),
        (Kind.PROJECT, r"(?:.*/)?(?:[^/]+\.(?:cs|fs|vb)proj|Directory\.Build\.(?:props|targets))"),
        (Kind.GLOBAL_JSON, r"(?:.*/)?global\.json"),
        (Kind.HELM_VALUES, r"(?:.*/)?values[^/]*\.ya?ml"),
        (Kind.KUBERNETES, r".*\.ya?ml"),
    )
)
_MODULES: Mapping[Kind, str] = {
    Kind.DOCKERFILE: "dockerfile",
    Kind.COMPOSE: "compose",
    Kind.KUBERNETES: "kubernetes",
    Kind.HELM_VALUES: "helm",
    Kind.BAKE: "bake",
    Kind.DEVCONTAINER: "devcontainer",
    Kind.WORKFLOW: "workflow",
    Kind.PROJECT: "project",
    Kind.GLOBAL_JSON: "global_json",
}


def kind_of(path: str) -> Kind | None:
    """What a file's path (with `/`) says about its kind; any other YAML file may hold Kubernetes manifests."""
    return next((kind for kind, name in _NAMES if name.fullmatch(path)), None)


def find_usages(path: str, data: bytes, kind: Kind | None = None) -> Findings:
    """All that a file names, with the markers above it; never raises, what cannot be read is one problem.

    `kind` tells the kind of a file whose path does not.
    """
    kind = kind or kind_of(path)
    if kind is None:
        return Findings()
    if len(data) > LARGEST_FILE:
        return _unread(path, f"larger than {LARGEST_FILE >> 10} KiB; split it, or exclude it")
    if b"\0" in data:
        return _unread(path, "holds NUL bytes, so it is no text file in UTF-8; convert it")
    text = decode(data)
    try:
        found = _finder(kind)(path, text)
    except Exception as error:
        return _unread(path, f"could not be read ({type(error).__name__}); please report this file")
    return replace(found, usages=marker.attached(found.usages, text))


def _unread(path: str, why: str) -> Findings:
    return Findings(problems=(Problem(path, 1, why),))


def _finder(kind: Kind) -> Callable[[str, str], Findings]:
    find: Callable[[str, str], Findings] = import_module(f"bot.discover.{_MODULES[kind]}").find
    return find
