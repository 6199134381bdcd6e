"""Dependabot and Renovate, where their settings would have them write the lines that this bot writes.

Sources: GitHub's "Dependabot options reference", Renovate's "Configuration Options". Only what is written in the
file itself counts: what a preset brings is not known here.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from bot.files.formats.source import jsonc, yaml
from bot.files.formats.source.collector import Unreadable
from bot.files.formats.source.nodes import Mapping as Entries
from bot.files.formats.source.nodes import Node, Scalar
from bot.files.formats.source.text import Lines, decode

DEPENDABOT = (".github/dependabot.yml", ".github/dependabot.yaml")
RENOVATE = (
    *("renovate.json", "renovate.json5", ".renovaterc", ".renovaterc.json"),
    *(".github/renovate.json", ".github/renovate.json5"),
)
PATHS = (*DEPENDABOT, *RENOVATE)
"""Where their settings are looked for."""
_ECOSYSTEMS = frozenset({"docker", "docker-compose", "helm"})
_MANAGERS = frozenset({"dockerfile", "docker-compose", "kubernetes", "helm-values", "kustomize", "devcontainer"})
_ALL_OF_DOTNET = frozenset({"*", "dotnet*", "dotnet/*", "dotnet/**"})
_STOPS_DEPENDABOT = 'ignore: [{dependency-name: "dotnet/*"}]'
_STOPS_RENOVATE = '{"matchPackageNames": ["mcr.microsoft.com/dotnet/**"], "enabled": false}'


@dataclass(frozen=True, slots=True)
class UpdateBot:
    """A bot that would write the same lines: by which line of its settings, and which one would stop it."""

    name: str
    path: str
    line: int
    stopped_by: str


def update_bots(files: Mapping[str, bytes]) -> list[UpdateBot]:
    """Those that these files, by their paths, set to work on container images."""
    bots: list[UpdateBot] = []
    for path, data in sorted(files.items()):
        text = decode(data)
        if path in DEPENDABOT:
            bots += (
                UpdateBot("Dependabot", path, line, f"{_STOPS_DEPENDABOT} below that line")
                for line in _dependabot(text)
            )
        elif path in RENOVATE and (line := _renovate(text)) is not None:
            bots.append(UpdateBot("Renovate", path, line, f"{_STOPS_RENOVATE} in packageRules"))
    return bots


def _dependabot(text: str) -> Iterator[int]:
    """The lines of the ecosystems of images whose .NET bases are not ignored."""
    try:
        roots = yaml.read(text)
    except Unreadable:
        return
    lines = Lines(text)
    for root in roots:
        for entry in root.sequence("updates") if isinstance(root, Entries) else ():
            if not isinstance(entry, Entries):
                continue
            ecosystem = entry.scalar("package-ecosystem")
            if ecosystem is not None and ecosystem.value in _ECOSYSTEMS and not _ignores(entry):
                yield lines.at(ecosystem.start)


def _ignores(entry: Entries) -> bool:
    for ignored in entry.sequence("ignore"):
        if not isinstance(ignored, Entries) or ignored.get("update-types") or ignored.get("versions"):
            continue
        name = ignored.scalar("dependency-name")
        if name is not None and name.value.removeprefix("mcr.microsoft.com/") in _ALL_OF_DOTNET:
            return True
    return False


def _renovate(text: str) -> int | None:
    """The line where it begins to work on images; None where it is told not to."""
    root = _json(text)
    if not isinstance(root, Entries):
        return 1
    lines = Lines(text)
    enabled = root.scalar("enabled")
    managers = _values(root.get("enabledManagers"))
    if (enabled is not None and enabled.value == "false") or (managers and not managers & _MANAGERS):
        return None
    for rule in root.sequence("packageRules"):
        if isinstance(rule, Entries) and _stops(rule):
            return None
    return lines.at(root.start)


def _stops(rule: Entries) -> bool:
    enabled = rule.scalar("enabled")
    if enabled is None or enabled.value != "false":
        return False
    names = set().union(*(_values(rule.get(f"matchPackage{kind}")) for kind in ("Names", "Prefixes", "Patterns")))
    if names:
        return any("mcr.microsoft.com/dotnet" in name for name in names)
    return "docker" in _values(rule.get("matchDatasources")) or bool(_MANAGERS & _values(rule.get("matchManagers")))


def _json(text: str) -> Node | None:
    """JSON5 is read as YAML's flow style, which it nearly is."""
    for read in (jsonc.read, lambda source: next(iter(yaml.read(source)), None)):
        try:
            return read(text)
        except Unreadable:
            continue
    return None


def _values(node: Node | None) -> set[str]:
    if isinstance(node, Scalar):
        return {node.value}
    return {item.value for item in getattr(node, "items", ()) if isinstance(item, Scalar)}
