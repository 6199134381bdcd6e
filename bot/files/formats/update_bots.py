"""Dependabot and Renovate, where their settings would have them write the lines that this bot writes.

Sources: GitHub's "Dependabot options reference", Renovate's "Configuration Options" (`packageRules`, `match*`) and
the names of its files (`lib/config/app-strings.ts`). Only what is written in the file itself counts: what a preset
brings is not known here.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from bot.files.formats.source import jsonc, yaml
from bot.files.formats.source.collector import Unreadable
from bot.files.formats.source.nodes import Mapping as Entries
from bot.files.formats.source.nodes import Node, Scalar
from bot.files.formats.source.text import Lines, decode

DEPENDABOT = (".github/dependabot.yml", ".github/dependabot.yaml")
PACKAGE = "package.json"
"""Has Renovate's settings under a key of its own, or is none of its files."""
RENOVATE = (
    *("renovate.json", "renovate.json5", "renovate.jsonc"),
    *(".renovaterc", ".renovaterc.json", ".renovaterc.json5", ".renovaterc.jsonc"),
    *(".github/renovate.json", ".github/renovate.json5", ".github/renovate.jsonc", PACKAGE),
)
PATHS = (*DEPENDABOT, *RENOVATE)
"""Where their settings are looked for."""
_ECOSYSTEMS = frozenset({"docker", "docker-compose", "helm"})
_MANAGERS = frozenset({"dockerfile", "docker-compose", "kubernetes", "helm-values", "kustomize", "devcontainer"})
_ALL_OF_DOTNET = frozenset({"*", "dotnet*", "dotnet/*", "dotnet/**"})
IGNORED = "dotnet/*"
"""What Dependabot is to ignore: it names images without their registry, and knows no update of digests alone."""
_STOPS_DEPENDABOT = f'ignore: [{{dependency-name: "{IGNORED}"}}]'
RULE: Mapping[str, object] = {
    "matchDatasources": ["docker"],
    "matchPackageNames": ["mcr.microsoft.com/dotnet/**"],
    "matchUpdateTypes": ["digest", "pinDigest"],
    "enabled": False,
}
"""What Renovate is to leave: new digests of the same tag are this bot's, and other versions stay Renovate's."""
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
            bots.append(UpdateBot("Renovate", path, line, f"{json.dumps(RULE)} as the last of packageRules"))
    return bots


def _dependabot(text: str) -> Iterator[int]:
    """The lines of the ecosystems of images whose .NET bases are not ignored."""
    try:
        roots = yaml.read(text)
    except Unreadable:
        return
    lines = Lines(text)
    for entry in ecosystems_of_images(roots):
        ecosystem = entry.scalar("package-ecosystem")
        yield lines.at(ecosystem.start if ecosystem is not None else entry.start)


def ecosystems_of_images(roots: Iterable[Node]) -> Iterator[Entries]:
    """The entries of Dependabot's file by which it works on images and does not ignore .NET's."""
    for root in roots:
        for entry in root.sequence("updates") if isinstance(root, Entries) else ():
            ecosystem = entry.scalar("package-ecosystem") if isinstance(entry, Entries) else None
            is_of_images = ecosystem is not None and ecosystem.value in _ECOSYSTEMS
            if is_of_images and isinstance(entry, Entries) and not _ignores(entry):
                yield entry


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
    root = renovates_own(path, text)
    if root is None and path == PACKAGE:
        return None
    if not isinstance(root, Entries):
        return 1
    enabled = root.scalar("enabled")
    managers = _values(root.get("enabledManagers"))
    if (enabled is not None and enabled.value == "false") or (managers and not managers & _MANAGERS):
        return None
    return Lines(text).at(root.start) if _writes_digests(root) else None


def renovates_own(path: str, text: str) -> Node | None:
    """Renovate's settings in that file; None where it has none, or cannot be read."""
    root = _json(text)
    if path != PACKAGE:
        return root
    return root.get("renovate") if isinstance(root, Entries) else None


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
