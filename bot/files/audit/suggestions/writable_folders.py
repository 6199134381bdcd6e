"""Writable folders of containers whose root is read-only: whether `/tmp` is one, and how it becomes one."""

from bot.domain.repositories.finding import Fix
from bot.domain.repositories.usage import Edit
from bot.files.audit.repository import RepositoryTexts
from bot.files.audit.splicing.items import with_items
from bot.files.audit.splicing.keys import NotSpliceable, edits_of, merged
from bot.files.audit.workloads.judging import PUT_TOGETHER, context_key
from bot.files.audit.workloads.kept import why_kept
from bot.files.audit.workloads.kubernetes import Container, is_as_written
from bot.files.audit.workloads.objects import word
from bot.files.formats.source.nodes import Mapping

_VOLUME = "tmp"


def has_tmp(container: Container) -> bool:
    """Whether something that can be written is mounted at `/tmp`, or where `TMPDIR` points."""
    folders = {"/tmp"}  # noqa: S108 - the folder in the container
    for variable in container.own.sequence("env"):
        if isinstance(variable, Mapping) and word(variable.get("name")) == "TMPDIR":
            folders.add((word(variable.get("value")) or "/tmp").rstrip("/"))  # noqa: S108
    for mount in container.own.sequence("volumeMounts"):
        path = word(mount.get("mountPath")) if isinstance(mount, Mapping) else None
        if isinstance(mount, Mapping) and path is not None and path.rstrip("/") in folders:
            return word(mount.get("readOnly")) != "true"
    return False


def read_only_with_tmp(repository: RepositoryTexts, container: Container, advice: str) -> Fix:
    """Suggests a read-only root with an `emptyDir` at `/tmp`, as far as either is missing."""
    if why := why_kept(container.pod):
        return Fix(advice, left_alone=why)
    if not is_as_written(repository, container.pod):
        return Fix(advice, left_alone=PUT_TOGETHER)
    try:
        edits = _read_only(repository, container, advice)
        if not has_tmp(container):
            _check_free(container)
            mount = [f"- name: {_VOLUME}", "  mountPath: /tmp"]
            edits += with_items(repository, container.own, "volumeMounts", mount)
            edits += _volume(repository, container.pod.spec)
    except NotSpliceable as error:
        return Fix(advice, left_alone=str(error))
    return Fix(advice, suggested=merged(edits))


def _check_free(container: Container) -> None:
    """Raises `NotSpliceable` where something is mounted at `/tmp`: a cluster takes one mount of a folder."""
    for mount in container.own.sequence("volumeMounts"):
        if isinstance(mount, Mapping) and (word(mount.get("mountPath")) or "").rstrip("/") == "/tmp":  # noqa: S108
            raise NotSpliceable("something that cannot be written is mounted at /tmp")


def _read_only(repository: RepositoryTexts, container: Container, advice: str) -> tuple[Edit, ...]:
    if word(container.context.get("readOnlyRootFilesystem")) == "true":
        return ()
    fix = context_key(repository, container, "readOnlyRootFilesystem", ["true"], advice)
    return fix.suggested or edits_of(fix)


def _volume(repository: RepositoryTexts, spec: Mapping) -> tuple[Edit, ...]:
    for volume in spec.sequence("volumes"):
        if isinstance(volume, Mapping) and word(volume.get("name")) == _VOLUME:
            if volume.get("emptyDir") is None:
                raise NotSpliceable(f"its volume {_VOLUME} is for something else")
            return ()
    return with_items(repository, spec, "volumes", [f"- name: {_VOLUME}", "  emptyDir: {}"])
