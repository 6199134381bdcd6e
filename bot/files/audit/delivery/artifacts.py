"""What is pushed to registries beside images: charts of Helm, and artifacts of Flux, Timoni and ORAS.

Sources: the manuals of `helm push` (the chart's name is put behind the address), `flux push artifact`,
`timoni mod push` and `oras push`.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace

from bot.files.audit.delivery.delivery import Push, Signing
from bot.files.audit.delivery.pushing import repository_of
from bot.files.audit.shell import ShellCommand, is_unknown
from bot.files.audit.workflows.model import Pipeline

_PREFIX = "oci://"
_OF_CHARTS = re.compile(r"chart|helm", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class OtherArtifact:
    """Something in a registry that is no image. `is_folder` where the name of a chart follows in its own."""

    pipeline: Pipeline
    name: str
    is_folder: bool


def artifact_of(pipeline: Pipeline, command: ShellCommand) -> OtherArtifact | None:
    """The chart or artifact that a command pushes; None for every other command."""
    arguments = command.words[1:]
    address = next((word.removeprefix(_PREFIX) for word in arguments if word.startswith(_PREFIX)), "")
    match command.name, *arguments[:2]:
        case ("helm", "push", *_) if address:
            return OtherArtifact(pipeline, address.rstrip("/"), True)
        case ("flux", "push", "artifact") | ("timoni", "mod" | "artifact", "push") if address:
            return OtherArtifact(pipeline, repository_of(address), False)
    return None


def without_artifacts(
    signings: Iterable[Signing], artifacts: list[OtherArtifact], pushes: list[Push]
) -> list[Signing]:
    """The signatures of images: none for charts and artifacts alone, those of both without these names."""
    kept: list[Signing] = []
    for signing in signings:
        names = tuple(name for name in signing.names if not _is_of_other(signing, name, artifacts, pushes))
        if names or not signing.names:
            kept.append(replace(signing, names=names))
    return kept


def _is_of_other(signing: Signing, name: str, artifacts: list[OtherArtifact], pushes: list[Push]) -> bool:
    repository = repository_of(name)
    own = [each for each in artifacts if each.pipeline is signing.pipeline]
    if any(repository == each.name for each in own if not each.is_folder):
        return True
    folders = [each.name for each in own if each.is_folder and repository.startswith(f"{each.name}/")]
    pushed = [each for push in pushes for each in push.names or ("",) if push.pipeline is signing.pipeline]
    if any(repository == repository_of(each) for each in pushed):
        return False
    is_told = not any(not each or is_unknown(repository_of(each)) for each in pushed)
    return any(is_told or _OF_CHARTS.search(folder) for folder in folders)
