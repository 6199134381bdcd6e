"""Dependabot and Renovate, where their settings would have them write the lines that this bot writes.

Sources: GitHub's "Dependabot options reference", Renovate's "Configuration Options" (`packageRules`, `match*`) and
the names of its files (`lib/config/app-strings.ts`). Only what is written in the file itself counts: what a preset
brings is not known here.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from bot.files.formats.source import jsonc, yaml
from bot.files.formats.source.collector import Unreadable
from bot.files.formats.source.nodes import Mapping as Entries
from bot.files.formats.source.nodes import Node, Scalar
from bot.files.formats.source.text import Lines, decode

DEPENDABOT = (".github/dependabot.yml", ".github/dependabot.yaml")
_PACKAGE = "package.json"
"""Has Renovate's settings under a key of its own, or is none of its files."""
RENOVATE = (
    *("renovate.json", "renovate.json5", "renovate.jsonc"),
    *(".renovaterc", ".renovaterc.json", ".renovaterc.json5", ".renovaterc.jsonc"),
    *(".github/renovate.json", ".github/renovate.json5", ".github/renovate.jsonc", _PACKAGE),
)
PATHS = (*DEPENDABOT, *RENOVATE)
"""Where their settings are looked for."""
_ECOSYSTEMS = frozenset({"docker", "docker-compose", "helm"})
_MANAGERS = frozenset({"dockerfile", "docker-compose", "kubernetes", "helm-values", "kustomize", "devcontainer"})
_ALL_OF_DOTNET = frozenset({"*", "dotnet*", "dotnet/*", "dotnet/**"})
_STOPS_DEPENDABOT = 'ignore: [{dependency-name: "dotnet/*"}]'
_STOPS_RENOVATE = (
    '{"matchDatasources": ["docker"], "matchPackageNames": ["mcr.microsoft.com/dotnet/**"], '
    '"matchUpdateTypes": ["digest", "pinDigest"], "enabled": false}'
)
"""New digests of the same tag are this bot's then, and other versions stay Renovate's."""
_NARROWING = frozenset({"matchDatasources", "matchManagers", "matchUpdateTypes", "matchPackageNames"})
_FORMER_NAMES = frozenset({"matchPackagePrefixes", "matchPackagePatterns"})


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
        elif path in RENOVATE and (line := _renovate(path, text)) is not None:
            bots.append(UpdateBot("Renovate", path, line, f"{_STOPS_RENOVATE} as the last of packageRules"))
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


def _renovate(path: str, text: str) -> int | None:
    """The line where it begins to work on images; None where it is told not to, or where nothing is its own."""
    root = _json(text)
    if path == _PACKAGE:
        root = root.get("renovate") if isinstance(root, Entries) else None
        if root is None:
            return None
    if not isinstance(root, Entries):
        return 1
    enabled = root.scalar("enabled")
    managers = _values(root.get("enabledManagers"))
    if (enabled is not None and enabled.value == "false") or (managers and not managers & _MANAGERS):
        return None
    return Lines(text).at(root.start) if _writes_digests(root) else None


def _writes_digests(root: Entries) -> bool:
    """Whether it brings new digests of .NET's images: of all rules that concern them the last one counts."""
    writes = True
    for rule in root.sequence("packageRules"):
        if isinstance(rule, Entries) and (enabled := rule.scalar("enabled")) is not None and _is_for_digests(rule):
            writes = enabled.value != "false"
    return writes


def _is_for_digests(rule: Entries) -> bool:
    """Whether a rule concerns each new digest of each of .NET's images; one with a condition that is not known here
    concerns some of them at most."""
    conditions = {key.value for key, _ in rule.entries() if key.value.startswith(("match", "exclude"))}
    if not conditions or conditions - _NARROWING - _FORMER_NAMES:
        return False
    types, sources = _values(rule.get("matchUpdateTypes")), _values(rule.get("matchDatasources"))
    managers = _values(rule.get("matchManagers"))
    names = set().union(*(_values(rule.get(name)) for name in (*_FORMER_NAMES, "matchPackageNames")))
    return (
        (not types or "digest" in types)
        and (not sources or "docker" in sources)
        and (not managers or bool(managers & _MANAGERS))
        and (not names or any("mcr.microsoft.com/dotnet" in name for name in names))
    )


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
