"""Images of Red Hat's actions: buildah-build builds them, push-to-registry pushes them.

Source: the inputs and outputs in the `action.yml` of both. `tags` are tags of `image`, or whole names.
"""

import re
from collections.abc import Iterator, Sequence

from bot.files.formats.shell.commands import UNKNOWN
from bot.files.formats.workflows.builds import BUILDAH
from bot.files.formats.workflows.steps import WorkflowStep

PUSH = re.compile(r"redhat-actions/push-to-registry@.*")


def names_built(step: WorkflowStep, made: Sequence[str] = ()) -> list[str]:
    """What buildah-build calls its image; `made` are whole names that metadata-action has made for it."""
    return [local for local, _ in _names_of_tags(step, made)]


def names_pushed(step: WorkflowStep, made: Sequence[str] = ()) -> Iterator[tuple[str, str]]:
    """What push-to-registry pushes: each with the name that it was built under before it."""
    registry = step.given("registry").strip().rstrip("/")
    for local, is_whole in _names_of_tags(step, made):
        if is_whole or registry:
            yield local, local if is_whole else f"{registry}/{local}"


def outputs(step: WorkflowStep) -> dict[str, str]:
    """What either action tells the steps behind it, as far as its inputs are written out."""
    uses = step.mapping.scalar("uses")
    action = uses.value.strip() if uses is not None else ""
    if BUILDAH.fullmatch(action):
        names = names_built(step)
        tags = " ".join(step.given("tags").split()) or "latest"
        return {
            "image": step.given("image").strip(),
            "tags": tags,
            "image-with-tag": names[0] if names else UNKNOWN,
        }
    if PUSH.fullmatch(action):
        pushed = [name for _, name in names_pushed(step)]
        return {"registry-path": pushed[0] if pushed else UNKNOWN}
    return {}


def _names_of_tags(step: WorkflowStep, made: Sequence[str]) -> Iterator[tuple[str, bool]]:
    """The names, and whether each is whole by itself."""
    image = step.given("image").strip()
    yield from ((name, True) for name in made)
    for tag in step.given("tags").split() or ["latest"]:
        if ":" in tag:
            yield tag, True
        elif image and not (made and UNKNOWN in tag):
            yield f"{image}:{tag}", False
