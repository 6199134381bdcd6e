"""Which files name references, and what each of them names."""

import re
from collections.abc import Callable, Mapping
from dataclasses import replace

from bot.domain.usage import Findings, Kind, Problem
from bot.formats.bake import finder as bake
from bot.formats.compose import finder as compose
from bot.formats.devcontainer import finder as devcontainer
from bot.formats.dockerfile import finder as dockerfile
from bot.formats.dotnet import global_json, project
from bot.formats.kubernetes import helm
from bot.formats.kubernetes import manifests as kubernetes
from bot.formats.rewrite import marker
from bot.formats.source.text import decode
from bot.formats.workflows import finder as workflow

LARGEST_FILE = 1 << 20
"""Bytes: a Dockerfile or manifest beyond that was not written by hand."""

_DOCKERFILE = (
    r"(?:Docker|Container)file\.[^/]+"
    r"|(?![^/]*\.(?:cs|fs|vb|py|go|rs|rb|java|kt|php|sh|ps1|[jt]sx?|json|ya?ml|xml|toml|html)$)"
    r"(?:[^/]*[._-])?(?i:(?:docker|container)file)(?:[._-][^/]*|[0-9]*)"
)
"""Any suffix may stand behind the usual name; behind others, that of a program tells of one about Dockerfiles."""
_OTHER_ENDINGS = (".dockerignore", ".md")
_NAMES: tuple[tuple[Kind, re.Pattern[str]], ...] = tuple(
    (kind, re.compile(pattern))
    for kind, pattern in (
        (Kind.DOCKERFILE, rf"(?:.*/)?(?:{_DOCKERFILE})"),
        (Kind.WORKFLOW, r"(?:.*/)?\.github/workflows/[^/]+\.ya?ml|(?:.*/)?action\.ya?ml"),
        (Kind.COMPOSE, r"(?:.*/)?(?:(?:[^/]*[._-])?(?i:compose)[^/]*|docker-stack)\.ya?ml"),
        (Kind.BAKE, r"(?:.*/)?(?:[^/]*bake[^/]*\.hcl|(?:docker-bake[^/]*|(?:[^/]*[._-])?bake)\.json)"),
        (Kind.DEVCONTAINER, r"(?:.*/)?\.?devcontainer(?:\.[\w-]+)?\.json"),
        (Kind.PROJECT, r"(?:.*/)?[^/]+\.(?:(?:cs|fs|vb)proj|props|targets|pubxml)"),
        (Kind.GLOBAL_JSON, r"(?:.*/)?global\.json"),
        (Kind.HELM_VALUES, r"(?:.*/)?(?:(?:[^/]*[._-])?values[^/]*|values/[^/]+)\.ya?ml"),
        (Kind.KUBERNETES, r".*\.ya?ml"),
    )
)
_FINDERS: Mapping[Kind, Callable[[str, str], Findings]] = {
    Kind.DOCKERFILE: dockerfile.find,
    Kind.COMPOSE: compose.find,
    Kind.KUBERNETES: kubernetes.find,
    Kind.HELM_VALUES: helm.find,
    Kind.BAKE: bake.find,
    Kind.DEVCONTAINER: devcontainer.find,
    Kind.WORKFLOW: workflow.find,
    Kind.PROJECT: project.find,
    Kind.GLOBAL_JSON: global_json.find,
}


def kind_of(path: str) -> Kind | None:
    """What a file's path (with `/`) says about its kind; any other YAML file may hold Kubernetes manifests."""
    if path.endswith(_OTHER_ENDINGS):
        return None
    return next((kind for kind, name in _NAMES if name.fullmatch(path)), None)


def find_usages(path: str, data: bytes, kind: Kind | None = None) -> Findings:
    """All that a file names, with the markers above it; never raises, what cannot be read is one problem.

    `kind` tells the kind of a file whose path does not.
    """
    kind = kind or kind_of(path)
    if kind is None:
        return Findings()
    if len(data) > LARGEST_FILE:
        return _unread(path, too_large(len(data)))
    if b"\0" in data:
        return _unread(path, "holds NUL bytes, so it is no text file in UTF-8; convert it")
    text = decode(data)
    try:
        found = _FINDERS[kind](path, text)
    except Exception as error:
        return _unread(path, f"could not be read ({type(error).__name__}); please report this file")
    return replace(found, usages=marker.attached(found.usages, text))


def too_large(size: int) -> str:
    """What to say of a file beyond `LARGEST_FILE`."""
    return (
        f"larger than {LARGEST_FILE >> 10} KiB ({size:,} bytes), so it is not read and nothing in it is watched; "
        "split it, or name its images in a smaller file"
    )


def _unread(path: str, why: str) -> Findings:
    return Findings(problems=(Problem(path, 1, why),))
