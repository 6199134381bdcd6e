"""Since which version docker/build-push-action attaches what it is asked for.

Source: its releases: `attests`, `provenance` and `sbom` are inputs from 3.3.0 on. An older one passes them over.
"""

import re

from bot.files.audit.workflows.model import PipelineStep

_ACTION = "docker/build-push-action"
_FIRST = (3, 3)
_VERSION = re.compile(r"v?(\d{1,4})(?:\.(\d{1,4}))?(?:\.\d+)?")
_COMMIT = re.compile(r"[0-9a-f]{40}")
VERSION_COMMENT = re.compile(r"[ \t]*#[ \t]*(v?\d[\w.-]*)(?=\s|$)")
"""What stands behind an action that is named by commit."""


def knows_statements(step: PipelineStep) -> bool | None:
    """Whether a build action has inputs for SBOM and provenance; None where its version is not told."""
    if step.action != _ACTION:
        return True
    ref = step.uses.partition("@")[2].strip()
    if _COMMIT.fullmatch(ref):
        ref = _commented(step)
        if not ref:
            return None
    version = _VERSION.fullmatch(ref)
    if version is None:
        return True  # a branch, which is newer than all releases
    major, minor = int(version[1]), version[2]
    return major >= _FIRST[0] if minor is None else (major, int(minor)) >= _FIRST


def _commented(step: PipelineStep) -> str:
    """The version that is written behind the commit of an action."""
    written = step.uses_at
    comment = VERSION_COMMENT.match(written.source, written.end) if written is not None else None
    return comment[1] if comment is not None else ""
