"""What statements about itself an image gets when it is built: provenance and SBOM.

Sources: the inputs of docker/build-push-action and bake-action, the manual of `docker buildx build`, and Docker's
page on attestations: the `docker` driver stores them where the image store is containerd's, as that of Docker 29 is
unless set otherwise, GitHub's runners of Ubuntu among them.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from bot.files.audit.delivery.action_versions import attaches_none_unasked, knows_statements
from bot.files.audit.delivery.builders import NO_BUILDER, NOT_TOLD, SETS_UP, with_builder
from bot.files.audit.delivery.building import builds_of, is_built_in_sight
from bot.files.audit.delivery.deliveries import (
    BAKE,
    BUILD_PUSH,
    BUILDKIT_ACTIONS,
    BUILT_BY_ENGINE,
    ISOLATED_PROVENANCE,
    deliveries,
)
from bot.files.audit.delivery.delivery import Push
from bot.files.audit.delivery.engine_images import stands_on_engine
from bot.files.audit.delivery.pushing import is_build, listed_names, option_values, repository_of
from bot.files.audit.repository import RepositoryTexts
from bot.files.audit.shell import ShellCommand, is_unknown
from bot.files.audit.verdict import Verdict, holds, unknown
from bot.files.audit.workflows.model import Pipeline, PipelineJob, PipelineStep
from bot.files.audit.workloads.compose import services
from bot.files.formats.source.nodes import Mapping

_ENGINES = frozenset({"docker", "podman", "nerdctl"})
ENGINES_WITH_BUILDX = frozenset({"docker", "docker-buildx"})
ON_BUILDER = "on a builder that stores it: docker/setup-buildx-action, or `docker buildx create --use` before it"
JOINED = "join the images with `docker buildx imagetools create`, which takes them with it"
_ON_WINDOWS = re.compile(r"==\s*'[^'\n]*windows", re.IGNORECASE)
_OFF = frozenset({"false", "0", "no"})
_NO_DEFAULT = "BUILDX_NO_DEFAULT_ATTESTATIONS"
_PROVENANCE_OFF = re.compile(r"type=provenance\S*disabled=true")


def asks_for(repository: RepositoryTexts, push: Push, statement: str) -> tuple[bool | None, str]:
    """Whether the build attaches `provenance` or `sbom`, and why that is so."""
    if push.step.action in BUILDKIT_ACTIONS or push.step.action == BAKE:
        return _asked_by_action(repository, push, statement)
    if push.command is None:
        if statement == "provenance" and push.step.action in BUILT_BY_ENGINE:
            return None, _by_store(statement)
        return False, f"nothing asks for {statement}"
    if not is_build(push.command) and not is_built_in_sight(push):
        if is_manifest(push.command) and (joined := _joined(repository, push)):
            return _asked_for_all(repository, joined, statement)
        if builder := built_before(push):
            return None, f"{builder} builds an image before, and whether what it attests comes along is not told"
        return None, "the build of what is pushed is not seen here"
    if any(map(_is_of_compose, _builds(push))):
        return _asked_by_compose(repository, push.command, statement)
    return _asked_by_command(push, push.command, statement)


def told_of(
    repository: RepositoryTexts, push: Push, statement: str, attested: str, missed: str = ""
) -> tuple[Verdict | None, str]:
    """The verdict on a statement that a push has, or may have; None where it has none, and why that is so.

    `attested` says which step attaches it besides the build; it is empty where none does. `missed` is the ref whose
    run leaves that step out.
    """
    place = repository.where(push.step)
    if attested and not missed:
        return holds(place, push.subject, attested), ""
    answer, why = asks_for(repository, push, statement)
    if missed and answer is not True:
        why = f"{attested}, but not for {missed}"
        return unknown(place, push.subject, why, f"whether others pull what {missed} pushes"), why
    if answer is True:
        return holds(place, push.subject, why), ""
    return (unknown(place, push.subject, why, settling(repository, push, why)) if answer is None else None), why


def _asked_by_action(repository: RepositoryTexts, push: Push, statement: str) -> tuple[bool | None, str]:
    step = push.step
    knows = knows_statements(step)
    setting = step.input(statement) if knows is not False else ""
    if knows is None and setting and setting.lower() not in _OFF:
        return (
            None,
            f"which version the commit of {step.action} is, and if that knows {statement}, is not told",
        )
    if is_unknown(setting):
        return None, f"{statement} is {setting}, which only a run knows"
    if setting.lower() in _OFF:
        return False, f"{statement} is {setting}"
    attests = step.input("attests") if knows is not False else ""
    if setting or re.search(rf"type={statement}(?!\S*disabled=true)", attests + step.input("set")):
        return with_builder(push, f"{statement} is asked for")
    if step.action == BAKE and (reason := _in_bake_files(repository, push, statement)):
        return with_builder(push, reason)
    if statement == "provenance" and attaches_none_unasked(step):
        return False, f"{step.uses[:80]} attaches no provenance unless it is asked for"
    if statement == "provenance":
        who = "Buildx" if step.action == BAKE else "the action"
        return with_builder(push, f"{who} attaches provenance by default")
    if knows is False and step.input(statement):
        return False, f"{step.uses[:80]} passes over {statement}, which it does not know"
    return False, f"{statement} is not asked for"


def _asked_by_command(push: Push, command: ShellCommand, statement: str) -> tuple[bool | None, str]:
    flag = (command.option(f"--{statement}") or "").lower()
    if command.has(f"--{statement}") and flag not in _OFF:
        return _as_buildx(push, command, f"--{statement} is given")
    if flag in _OFF:
        return False, f"--{statement} is {command.option(f'--{statement}')}"
    if any(re.search(rf"type={statement}", word) for word in command.words):
        return _as_buildx(push, command, f"--attest type={statement} is given")
    values = _told_engine(push, command, statement)
    if statement == "provenance" and values:
        if any(each in _OFF for each in values) or _is_off(push):
            return False, "the build is told to attach no provenance"
        return None, _by_store(statement)
    if any(each and each not in _OFF for each in values):
        return None, _by_store(statement)
    if statement == "provenance" and "buildx" in command.words[:2]:
        return with_builder(push, "Buildx attaches provenance by default")
    return False, f"nothing asks for {statement}"


def _builds(push: Push) -> list[ShellCommand]:
    """The commands that build what a command pushes, itself included."""
    return [command for _, command in builds_of(push)]


def _is_of_compose(command: ShellCommand) -> bool:
    return command.name == "docker-compose" or (command.name == "docker" and "compose" in command.words[1:2])


def _asked_by_compose(
    repository: RepositoryTexts, command: ShellCommand, statement: str
) -> tuple[bool | None, str]:
    """Compose attaches what a service or an option asks for, from version 2.39 on."""
    is_asked = command.has(f"--{statement}") or any(
        isinstance(build := level.get("build"), Mapping) and build.get(statement) is not None
        for service in services(repository)
        for level in service.levels
    )
    if statement == "sbom" and not is_asked:
        return False, "nothing asks for sbom"
    return None, f"whether Compose attaches {statement} hangs on its version"


def _by_store(statement: str) -> str:
    return f"docker build attaches {statement} where Docker's image store is containerd's"


def _told_engine(push: Push, command: ShellCommand, statement: str) -> list[str]:
    """What Docker's own builder is told of a statement in each build of what a command of Docker pushes, by the
    command, or by those and the actions of its job; on a machine where BuildKit runs these."""
    if command.name != "docker" or is_of_windows(push):
        return []
    steps = push.pipeline.steps_until(push.step)
    has_builder = with_builder(push, "")[0] is True
    builds = _builds(push)
    actions = [] if is_build(command) or has_builder else [each for each in steps if each.action == BUILD_PUSH]
    groups = {"image", "builder"} if is_build(command) or has_builder else _GROUPS
    plain = (each for each in builds if each.name == "docker" and "build" in _without(groups, each.words[1:3])[:1])
    options = ((each, each.option(f"--{statement}")) for each in plain)
    return [
        *(_told_action(each, statement) for each in actions),
        *((value or "").lower() or ("true" if each.has(f"--{statement}") else "") for each, value in options),
    ]


def _told_action(step: PipelineStep, statement: str) -> str:
    """What a build action is told of a statement: `false` where its version attaches no provenance unasked."""
    setting = step.input(statement).lower() if knows_statements(step) is not False else ""
    return "false" if statement == "provenance" and not setting and attaches_none_unasked(step) else setting


_GROUPS = {"image", "builder", "buildx"}
"""What may stand before `build` where Docker's own builder does it, which keeps what it makes."""


def _without(groups: set[str], words: tuple[str, ...]) -> tuple[str, ...]:
    return words[1:] if groups & {*words[:1]} else words


def _is_off(push: Push) -> bool:
    """Whether the environment has Docker build without BuildKit, or Buildx attach nothing unasked."""
    return push.step.environment.get("DOCKER_BUILDKIT") == "0" or _attests_nothing_unasked(push)


def _attests_nothing_unasked(push: Push) -> bool:
    return push.step.environment.get(_NO_DEFAULT, "").lower() in {"1", "true"}


def why_no_index(push: Push) -> str:
    """What is written that keeps the pushed image a plain manifest, which any statement makes an index; empty where
    nothing is."""
    setting = push.step.input("provenance")
    if setting.lower() in _OFF or is_unknown(setting):
        return f"provenance is {setting}"
    if _PROVENANCE_OFF.search(push.step.input("attests")):
        return "attests disables provenance"
    return f"{_NO_DEFAULT} is set" if _attests_nothing_unasked(push) else ""


def _as_buildx(push: Push, command: ShellCommand, why: str) -> tuple[bool | None, str]:
    """Docker builds with Buildx, whose default builder need not store statements; others store all."""
    return with_builder(push, why) if command.name in {"docker", "docker-buildx"} else (True, why)


def is_of_windows(push: Push) -> bool:
    """Whether it builds for Windows, which no builder of Buildx can: by its machine, or by its condition."""
    runners = push.step.job.runners
    is_there = bool(runners) and all("windows" in each.lower() for each in runners)
    return is_there or _ON_WINDOWS.search(push.step.condition) is not None


def is_manifest(command: ShellCommand) -> bool:
    """Whether a command pushes a list of images that are in the registry already."""
    return command.name in _ENGINES and command.words[1:3] == ("manifest", "push")


def _joined(repository: RepositoryTexts, push: Push) -> list[Push]:
    """The pushes of jobs before that build images of the same name, or of one that only a run knows."""
    names = {repository_of(name) for name in push.names}
    before = [
        each
        for each in deliveries(repository).pushes
        if each.pipeline is push.pipeline and each.step.job.is_before(push.step.job) and each.events & push.events
    ]
    return [
        each
        for each in before
        if (each.command is None or is_build(each.command))
        and (not each.names or any(is_unknown(name) or repository_of(name) in names for name in each.names))
    ]


def _asked_for_all(repository: RepositoryTexts, pushes: list[Push], statement: str) -> tuple[bool | None, str]:
    """What the builds of all images of a list are asked for; None where they are not asked the same."""
    is_asked, why = asks_for(repository, pushes[0], statement)
    if any(asks_for(repository, each, statement)[0] is not is_asked for each in pushes[1:]):
        return None, f"{statement} is asked for by some of the builds that it joins only"
    return is_asked, f"{why} in the build of what it joins"


@dataclass(slots=True)
class _JobSigns:
    """What the steps of a job show: how something is built, and that an image is pulled."""

    builds: bool = False
    pulls: bool = False


def _jobs(repository: RepositoryTexts) -> dict[int, _JobSigns]:
    """What the jobs of all pipelines that push show, by the identity of these."""
    signs_by_job: dict[int, _JobSigns] = {}
    for pipeline in dict.fromkeys(push.pipeline for push in deliveries(repository).pushes):
        for step in pipeline.steps:
            signs = signs_by_job.setdefault(id(step.job), _JobSigns())
            signs.builds |= step.action in BUILDKIT_ACTIONS or any(map(is_build, step.commands))
            signs.pulls |= any(each.name in _ENGINES and each.words[1:2] == ("pull",) for each in step.commands)
    return signs_by_job


def _signs_of_job(repository: RepositoryTexts, push: Push) -> _JobSigns:
    return repository.kept(_jobs).get(id(push.step.job), _JobSigns())


def built_before(push: Push) -> str:
    """The step of a job before in which the same run builds an image of that last name, or of one that only the run
    knows, by its subject; empty for none."""
    earlier = (
        step for step in push.pipeline.steps if step.job.is_before(push.step.job) and step.events & push.events
    )
    return next((step.subject for step in earlier if any(_may_be(push.names, each) for each in _built(step))), "")


def of_promotion(push: Push, what: str, done: str, where: str) -> tuple[str, str]:
    """Why it is not told of an image that is only brought on whether it was `done`, and what settles it:
    `where` if a job before builds the image, where no `what` is seen; else the run that builds it."""
    if builder := built_before(push):
        return f"{builder} builds an image before, and no {what} is seen in either job", where
    return f"the image was built before, and whether it was {done} then is not known here", "the run that builds it"


def _built(step: PipelineStep) -> Iterator[tuple[str, ...]]:
    """The names that a step gives to each image that it builds."""
    if step.action in BUILDKIT_ACTIONS:
        yield listed_names(step.input("tags"))
    for command in step.commands:
        if command.name != "dotnet" and is_build(command):
            yield option_values(command.words, "-t", "--tag")


def _may_be(names: tuple[str, ...], built: tuple[str, ...]) -> bool:
    last_names = [
        {repository_of(each).rpartition("/")[2] for each in names_there} for names_there in (names, built)
    ]
    is_open = any(not names_there or any(map(is_unknown, names_there)) for names_there in last_names)
    return is_open or bool(last_names[0] & last_names[1])


def is_promotion(repository: RepositoryTexts, push: Push) -> bool:
    """Whether a command brings an image on that its job has pulled, and nothing there builds."""
    command = push.command
    if command is None or is_build(command):
        return False
    signs = _signs_of_job(repository, push)
    return signs.pulls and not signs.builds


def building(repository: RepositoryTexts) -> tuple[Pipeline, ...]:
    """The pipelines that push what is made anew in them: none that only bring an image on."""
    return repository.kept(_building)


def _building(repository: RepositoryTexts) -> tuple[Pipeline, ...]:
    pushes = deliveries(repository).pushes
    return tuple(dict.fromkeys(push.pipeline for push in pushes if not is_promotion(repository, push)))


def isolated_provenance(pipeline: Pipeline) -> PipelineJob | None:
    """The job in which slsa-github-generator signs what it was told of the build."""
    return next((job for job in pipeline.remote_jobs if (job.remote or "").startswith(ISOLATED_PROVENANCE)), None)


def settling(repository: RepositoryTexts, push: Push, why: str) -> str:
    """What would settle what `asks_for` cannot tell."""
    if "comes along" in why or (NO_BUILDER in why and stands_on_engine(repository, push)):
        return "`docker buildx imagetools inspect` of what is pushed"
    if "not seen" in why:
        return "the commands that build the image, written in the workflow"
    if SETS_UP in why:
        return "what that action does"
    if "containerd" in why:
        return "the image store of the runner's Docker, by `docker info`"
    if NOT_TOLD in why:
        return "the version of BuildKit and Buildx, written out"
    if "Compose" in why:
        return "`docker buildx imagetools inspect` of what is pushed"
    if "which version" in why:
        return "the version as a comment behind the commit"
    return "the input written out" if "only a run" in why else "docker/setup-buildx-action before the build"


def _in_bake_files(repository: RepositoryTexts, push: Push, statement: str) -> str:
    file_names = [each.strip() for each in re.split(r"[\n,]", push.step.input("files")) if each.strip()]
    names = file_names or ["docker-bake.hcl", "docker-bake.json", "docker-bake.override.hcl"]
    for name in names:
        text = repository.text(name.removeprefix("./"))
        if re.search(rf"type\s*=\s*{statement}|type\W+{statement}", text):
            return f"{name} asks for {statement}"
    return ""
