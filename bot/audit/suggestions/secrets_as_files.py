"""Secrets of a container's environment as files: one folder for each Secret, a file for each key.

The files are named as the variables were, so that .NET's `AddKeyPerFile` gives a program the same keys.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

from bot.audit.list_splices import item_removed, key_removed, with_items
from bot.audit.repository import Repository
from bot.audit.secrets import holds_secret
from bot.audit.splices import NotSpliceable, merged
from bot.audit.workloads.kubernetes import Container, word
from bot.domain.repositories.edit import Edit
from bot.domain.repositories.finding import Fix
from bot.formats.source.nodes import Mapping

FOLDER = "/run/secrets"


@dataclass(slots=True)
class _Wanted:
    """What is taken out of the environment, and the keys of each Secret with their files; None for all of them."""

    entries: list[Mapping] = field(default_factory=list)
    secrets: dict[str, dict[str, str] | None] = field(default_factory=dict)


def secrets_as_files(repository: Repository, container: Container, advice: str) -> Fix:
    """Suggests to mount all Secrets that come into the environment; the program must read files then."""
    if container.pod.variant or container.hidden:
        return Fix(advice, left_alone="a kustomization or a chart puts it together")
    try:
        wanted = _wanted(container)
        edits = list(_taken_out(repository, container, wanted))
        names = list(wanted.secrets)
        mounts = [line for name in names for line in _mount(name)]
        volumes = [line for name in names for line in _volume(name, wanted.secrets[name])]
        edits += with_items(repository, container.own, "volumeMounts", mounts)
        edits += with_items(repository, container.pod.spec, "volumes", volumes)
    except NotSpliceable as error:
        return Fix(advice, left_alone=str(error))
    return Fix(advice, suggested=merged(edits))


def _wanted(container: Container) -> _Wanted:
    found = _Wanted()
    for entry in container.own.sequence("env"):
        if not isinstance(entry, Mapping):
            continue
        name, reference = word(entry.get("name")) or "", entry.mapping("valueFrom").mapping("secretKeyRef")
        if entry.mapping("valueFrom").get("secretKeyRef") is not None:
            secret, key = word(reference.get("name")), word(reference.get("key"))
            if not secret or not key or not name:
                raise NotSpliceable("which Secret it is stands in no one place")
            keys = found.secrets.setdefault(secret, {})
            if keys is not None:
                keys[key] = name
            found.entries.append(entry)
        elif holds_secret(name, word(entry.get("value")) or ""):
            raise NotSpliceable("for what is written out a Secret must be made first")
    for entry in container.own.sequence("envFrom"):
        if isinstance(entry, Mapping) and entry.get("secretRef") is not None:
            secret = word(entry.mapping("secretRef").get("name"))
            if not secret or entry.get("prefix") is not None:
                raise NotSpliceable("which Secret it is stands in no one place")
            found.secrets[secret] = None
            found.entries.append(entry)
    return found


def _taken_out(repository: Repository, container: Container, wanted: _Wanted) -> Iterator[Edit]:
    for key in ("env", "envFrom"):
        listed = container.own.sequence(key)
        taken = [entry for entry in wanted.entries if any(entry is each for each in listed)]
        if taken and len(taken) == len(listed):
            yield key_removed(repository, container.own, key)
        else:
            for entry in taken:
                yield item_removed(repository, entry)


def _mount(secret: str) -> list[str]:
    return [f"- name: {secret}", f"  mountPath: {FOLDER}/{secret}", "  readOnly: true"]


def _volume(secret: str, keys: dict[str, str] | None) -> list[str]:
    lines = [f"- name: {secret}", "  secret:", f"    secretName: {secret}"]
    if keys:
        lines.append("    items:")
        for key, file in keys.items():
            lines += [f"      - key: {key}", f"        path: {file}"]
    return lines
