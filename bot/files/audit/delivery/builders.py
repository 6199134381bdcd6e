"""Which steps set up what builds images, and whether that stores the statements which a build attaches.

Sources: the inputs of docker/setup-buildx-action and docker/setup-docker-action, the manual of `docker buildx
create`, and Docker's page on attestations: BuildKit has them from 0.11 on, and Buildx from 0.10 on.
"""

import re
from collections.abc import Iterator
from itertools import takewhile

from bot.files.audit.delivery.delivery import Push
from bot.files.audit.delivery.pushing import option_values, repository_of
from bot.files.audit.shell import ShellCommand, is_unknown
from bot.files.audit.workflows.model import PipelineStep

SETS_UP = "sets up a builder that can store it is not told"
NO_BUILDER = "but no step sets up a builder that can store it"
NOT_TOLD = "and whether that version has statements is not told"
NEW_ENOUGH = "BuildKit 0.11 and Buildx 0.10 or newer"
_FIRST_BUILDKIT, _FIRST_BUILDX = (0, 11), (0, 10)
_CONTAINERD = re.compile(r"\"containerd-snapshotter\"\s*:\s*true\b")
_IMAGE = re.compile(r"(?:^|[\s,\"'])image=(?P<name>\$\{\{.*?\}\}|[^\s,\"']+)", re.MULTILINE)
_VERSION = re.compile(r"v?(?P<major>\d{1,4})\.(?P<minor>\d{1,4})(?![\d])")


def with_builder(push: Push, why: str) -> tuple[bool | None, str]:
    """An attestation needs a builder that can store it, which the default one need not."""
    if push.step.action.startswith(("depot/", "namespacelabs/", "useblacksmith/")):
        return True, why
    if found := without_statements(push):
        is_old, named = found
        return (False, named) if is_old else (None, f"{why}, but the builder is {named}, {NOT_TOLD}")
    for step in builders_before(push):
        driver = step.input("driver")
        if is_unknown(driver):
            return None, f"{why}, but the builder's driver is {driver}, which only a run knows"
        return (None, f"{why}, but the driver docker may store none") if driver == "docker" else (True, why)
    earlier = takewhile(lambda each: each is not push.command, push.step.commands)
    if push.command is not None and any(map(_creates_builder, earlier)):
        return True, why
    unread = next((each.uses for each in push.pipeline.steps_until(push.step) if each.unread), "")
    return None, f"{why}, but whether {unread} {SETS_UP}" if unread else f"{why}, {NO_BUILDER}"


def without_statements(push: Push) -> tuple[bool, str] | None:
    """What the job names to build with and is older than statements are, as a reason; the name alone, with False,
    where its version is not told. None where nothing of the kind is named."""
    steps = push.pipeline.steps_until(push.step)
    ages = [each for step in steps for each in _ages(step)]
    return max(ages, default=None)


def _ages(step: PipelineStep) -> Iterator[tuple[bool, str]]:
    """What a step names to build with that has no statements, or need not have them."""
    if step.action.endswith("setup-buildx-action"):
        yield from _age("Buildx", step.input("version").partition("#")[2] or step.input("version"), _FIRST_BUILDX)
        for key in ("driver-opts", "append"):
            yield from _ages_of_images(step.input(key))
    for command in step.commands:
        if _creates_builder(command):
            yield from _ages_of_images(",".join(option_values(command.words, "--driver-opt")))


def _ages_of_images(options: str) -> Iterator[tuple[bool, str]]:
    for match in _IMAGE.finditer(options):
        head = match["name"].partition("@")[0]
        tag = head.removeprefix(repository_of(head)).removeprefix(":")
        is_open = "@" in match["name"] and not tag
        yield from [(False, match["name"])] if is_open else _age("BuildKit", tag, _FIRST_BUILDKIT, match["name"])


def _age(program: str, version: str, first: tuple[int, int], named: str = "") -> Iterator[tuple[bool, str]]:
    figures = _VERSION.match(version)
    if is_unknown(version or named):
        yield False, named or f"{program} {version}"
    elif figures is not None and (int(figures["major"]), int(figures["minor"])) < first:
        since = ".".join(map(str, first))
        yield True, f"{named or f'{program} {version}'} attaches none, which {program} does from {since} on"


def builders_before(push: Push) -> list[PipelineStep]:
    """The steps of the job before a push that set up what builds its images, and stores statements unless it has
    the driver docker."""
    return [
        each for each in push.pipeline.steps_until(push.step) if each is not push.step and _sets_up_builder(each)
    ]


def _sets_up_builder(step: PipelineStep) -> bool:
    is_builder = step.action.endswith(("setup-buildx-action", "setup-docker-builder", "depot/setup-action"))
    return is_builder or stores_in_containerd(step) or any(map(_creates_builder, step.commands))


def stores_in_containerd(step: PipelineStep) -> bool:
    """Whether a step sets up a Docker whose own builder stores statements, by the store of containerd."""
    is_docker = step.action in {"docker/setup-docker-action", "crazy-max/ghaction-setup-docker"}
    return is_docker and _CONTAINERD.search(step.input("daemon-config")) is not None


def _creates_builder(command: ShellCommand) -> bool:
    return "buildx" in command.words[:2] and "create" in command.words[:3]
