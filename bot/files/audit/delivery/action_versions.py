"""Since which version docker/build-push-action attaches what it is asked for.

Source: its releases: `attests`, `provenance` and `sbom` are inputs from 3.3.0 on; an older one passes them over.
Version 1 pushes unless it is told not to, names what it pushes by `registry`, `repository` and `tags`, builds
without Buildx, and tells no digest. Version 3.3.1, which `v3` names, attaches no provenance unless it is asked for;
4.0.0 does again.
"""

import re

from bot.files.audit.workflows.model import PipelineStep

_ACTION = "docker/build-push-action"
_FIRST = (3, 3, 0)
_NEWEST = 10_000
_VERSION = re.compile(r"v?(\d{1,4})(?:\.(\d{1,4}))?(?:\.(\d{1,4}))?")
_COMMIT = re.compile(r"[0-9a-f]{40}")
VERSION_COMMENT = re.compile(r"[ \t]*#[ \t]*(v?\d[\w.-]*)(?=\s|$)")
"""What stands behind an action that is named by commit."""


def knows_statements(step: PipelineStep) -> bool | None:
    """Whether a build action has inputs for SBOM and provenance; None where its version is not told."""
    if step.action != _ACTION:
        return True
    version = _version(step)
    return None if version is None else version >= _FIRST


def attaches_none_unasked(step: PipelineStep) -> bool:
    """Whether a build action is of a version that attaches no provenance where it is not asked for."""
    of_one_version = {(3, 3, 1), (3, 3, _NEWEST), (3, _NEWEST, _NEWEST)}
    return pushes_unasked(step) or (step.action == _ACTION and _version(step) in of_one_version)


def pushes_unasked(step: PipelineStep) -> bool:
    """Whether a build action is of version 1, whose inputs are others and which pushes unless it is told not to."""
    return step.action == _ACTION and (_version(step) or _FIRST)[0] == 1


def named_by_parts(step: PipelineStep) -> tuple[str, ...]:
    """What version 1 pushes: each tag of a repository in a registry."""
    registry, repository = step.input("registry"), step.input("repository")
    name = f"{registry}/{repository}" if registry else repository
    tags = [each.strip() for each in step.input("tags").split(",") if each.strip()]
    return tuple(f"{name}:{tag}" for tag in tags or ["latest"])


def _version(step: PipelineStep) -> tuple[int, int, int] | None:
    """The figures of a version, the newest where one is left out; None where a commit does not tell."""
    ref = step.uses.partition("@")[2].strip()
    if _COMMIT.fullmatch(ref):
        ref = _commented(step)
        if not ref:
            return None
    version = _VERSION.fullmatch(ref)
    if version is None:
        return (_NEWEST, _NEWEST, _NEWEST)  # a branch, which is newer than all releases
    major, minor, patch = (int(figure) if figure is not None else _NEWEST for figure in version.groups())
    return major, minor, patch


def _commented(step: PipelineStep) -> str:
    """The version that is written behind the commit of an action."""
    written = step.uses_at
    comment = VERSION_COMMENT.match(written.source, written.end) if written is not None else None
    return comment[1] if comment is not None else ""
