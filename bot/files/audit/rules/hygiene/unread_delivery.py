"""What brings images to registries and clusters is of a kind that is read here.

What: seen, and not judged, each by one unknown with the .NET images in it: reusable workflows and actions of other
repositories that may push; Aspire, azd, Skaffold, ko, Earthly, kaniko, Tye, Task; scripts, Makefiles and batch
files that push, started by a build or by people; `PublishContainer` with its registry in project or environment;
build programs in C# (Nuke, Cake) and F#; builds in Azure Pipelines, GitLab CI, CircleCI, Jenkins, Woodpecker,
Drone, Bitbucket, Gitea, Travis, Buildkite, Cloud Build, CodeBuild, Tekton, Concourse, AppVeyor, TeamCity,
Semaphore, Codefresh, Cirrus and Harness; containers in JSON manifests, Argo's workflows, Nomad, Azure Container
Apps, Bicep, ARM templates and Terraform; Dockerfiles inside runs or Compose; hooks that a run calls, and Terraform
applied, after its push.

Example that is unknown::

    azure-pipelines.yml, or build/release.yml of the same kind, with Docker@2, command: buildAndPush

Fix: none; ask the other checks' questions by hand.

Exceptions: files that mention no container are passed over, but for builds, and for workflows that call one of
another repository, beside a Dockerfile.
"""

import re
from collections.abc import Iterable, Iterator
from itertools import chain, pairwise

from bot.domain.repositories.finding import FindingSeverity, Place
from bot.files.audit.delivery.after_push import started_after_push
from bot.files.audit.delivery.azure_pipelines import azure_pipelines
from bot.files.audit.delivery.deliveries import ISOLATED_PROVENANCE, deliveries
from bot.files.audit.delivery.github_builder import GITHUB_BUILDER
from bot.files.audit.delivery.other_programs import unread_push
from bot.files.audit.delivery.over_ssh import started_over_ssh
from bot.files.audit.delivery.pushing import copies_image, pushed_names
from bot.files.audit.delivery.scripts import names_registry, push_by_hand, push_in_script, pushing_script
from bot.files.audit.delivery.templates import containers_in
from bot.files.audit.delivery.unread import is_handed_image, may_build, may_push, starts_deploy
from bot.files.audit.delivery.written_dockerfiles import written_dockerfiles
from bot.files.audit.repository import RepositoryTexts
from bot.files.audit.rule import Rule
from bot.files.audit.shell import ShellCommand, is_unknown, joined_lines
from bot.files.audit.verdict import Verdict, unknown
from bot.files.audit.workflows.flattening import pipelines
from bot.files.audit.workflows.model import TESTS_ONLY, Pipeline, PipelineStep
from bot.files.audit.workflows.scripts import BUILD_TOOLS, SCRIPTS, script_of, script_texts
from bot.files.formats.other_builds import MENTIONS_CONTAINERS, OtherBuild, build_in, dotnet_images_in
from bot.files.formats.practices import is_deployment_template
from bot.files.formats.shell.commands import SEVERAL

_PUSHES = re.compile(
    r"buildAndPush|command:\s*push|docker\s+(?:image\s+)?push|(?:docker|podman)[\"'],[ \t]*[\"']push|images\.push\("
    r"|--push\b|PublishContainer|kaniko|buildah"
    r"|\b(?:make|just|task|taskctl)[ \t]+(?![\w:.-]{0,60}pull)[\w:.-]{0,40}(?:container|docker|image)"
)
_COMMENTS = ("#", "//")
_HANDS_OVER = re.compile(r"publish|push|release|deploy|upload", re.IGNORECASE)
_TRUE = re.compile(r"true|1|yes|on", re.IGNORECASE)
_VALUED_OF_TOOLS = frozenset({"-C", "-f", "-d", "-t", "-I", "-j", "--file", "--justfile", "--directory", "--dir"})
"""Options of build tools that take the next word."""
_NO_PUSH = re.compile(r"\b(?:sign|test|lint|verify|e2e)|notes|manifest|changelog|checksum", re.IGNORECASE)
_GORELEASER = re.compile(r"^(?:dockers(?:_v2)?|kos):", re.MULTILINE)
_MAY_PUSH = re.compile(r"push|publish", re.IGNORECASE)
_PROGRAM = re.compile(r"[^;|&]{1,100}\.(?:ps1|cmd|dll|sh)|nuke|cake|npm|yarn|pnpm", re.IGNORECASE)
_TARGET = re.compile(
    r"\w*(?:(?:docker|image|container)s?[-_:]?(?:publish|push)|(?:publish|push)[-_:]?(?:docker|image|container))\w*",
    re.IGNORECASE,
)
_LONGEST_TARGET = 80
_ENGINES = frozenset({"docker", "podman", "nerdctl", "buildah"})
_TO_CLUSTER = r"kubernetes|k8s|helm|(?<![a-z])(?:aks|eks|gke|ecs)(?![a-z])|openshift"
_DELIVERS = re.compile(rf"docker|image|container|push|publish|build|release|{_TO_CLUSTER}", re.IGNORECASE)
_ONLY_DEPLOYS = re.compile(rf"/(?![^/]*(?:build|push|publish))[^/@]*(?:deploy|{_TO_CLUSTER})[^/]*$", re.IGNORECASE)
_OF_NO_IMAGE = re.compile(r"(?:docs?|pages?|site|storybook|nuget|packages?)(?![a-z])", re.IGNORECASE)
_KNOWN = (GITHUB_BUILDER, ISOLATED_PROVENANCE)
_CONTAINER_APP = re.compile(
    r"^type:[ \t]*[\"']?(?P<kind>Microsoft\.App/(?:containerApps|jobs))", re.MULTILINE | re.IGNORECASE
)
"""What `az containerapp create --yaml` takes."""
_ARGO_WORKFLOW = re.compile(
    r"^kind:[ \t]*[\"']?(?P<kind>(?:Cron|Cluster)?Workflow(?:Template)?)[\"']?[ \t]*\r?$", re.MULTILINE
)
_OF_ARGO = "argoproj.io/"


def judge(repository: RepositoryTexts) -> Iterator[Verdict]:
    for path in azure_pipelines(repository):
        yield from _of_azure_pipeline(repository, path)
    for path in repository.paths:
        if repository.scope.is_judged(path):
            yield from _of_file(repository, path)
    own_pipelines = pipelines(repository)
    yield from _once_a_place(
        verdict
        for pipeline in own_pipelines
        for verdict in chain(
            _scripts(repository, pipeline), _programs(repository, pipeline), _steps(repository, pipeline)
        )
    )
    yield from _once_a_place(
        unknown(place, subject, why, "a Dockerfile of its own in the repository")
        for place, subject, why in written_dockerfiles(repository)
    )
    for pipeline in own_pipelines:
        yield from _remote_jobs(repository, pipeline)
    pushing = set(deliveries(repository).pushing())
    yield from _once_a_place(
        verdict for each in own_pipelines if each not in pushing for verdict in _copies(repository, each)
    )


def _copies(repository: RepositoryTexts, pipeline: Pipeline) -> Iterator[Verdict]:
    """Steps of a workflow that pushes nothing of its own, and brings images of others to a registry."""
    for step in pipeline.steps:
        copying = next((each for each in step.commands if copies_image(each)), None)
        if copying is not None and step.events - TESTS_ONLY:
            builder = next((job.remote for job in pipeline.remote_jobs if job.is_before(step.job)), "")
            who = f"another run, or {builder}," if builder else "another run"
            why = f"`{' '.join(copying.words[:4])[:80]}` copies an image that {who} has built"
            settles = f"what {builder} builds" if builder else "how that run scans and signs it"
            yield unknown(repository.where(step), step.subject, why, settles)


def _once_a_place(verdicts: Iterable[Verdict]) -> Iterator[Verdict]:
    """The first verdict on each place: a step of an action that is called often stands in one."""
    keys: set[tuple[str, int]] = set()
    for verdict in verdicts:
        if (key := (verdict.place.path, verdict.place.start)) not in keys:
            keys.add(key)
            yield verdict


def _of_file(repository: RepositoryTexts, path: str) -> Iterator[Verdict]:
    name = path.rpartition("/")[2]
    match = _container_in(repository, path)
    if match is not None:
        subject = match.groupdict().get("kind") or match.group()
        why = "it runs containers; such files are not judged"
        yield unknown(_place_of(repository, path, match), subject, why, "the runtime's settings, by hand")
    elif (build := build_in(path, repository.text(path))) is not None and not _has_program(repository, path, build):
        if path.endswith(SCRIPTS) and name in repository.kept(_handed_over):
            return
        yield from _of_other_build(repository, path, build)
    elif (push := push_by_hand(repository, path)) is not None and name not in repository.kept(_handed_over):
        why = "it pushes an image, and what scripts do is not judged"
        yield unknown(_place_of(repository, path, push), name, why, "the same practices in the script, by hand")
    elif name.startswith((".goreleaser.", "goreleaser.")):
        match = _GORELEASER.search(repository.text(path))
        if match is not None:
            why = "it builds and pushes images; such files are not judged"
            place = _place_of(repository, path, match)
            yield unknown(place, "GoReleaser", why, "the same practices there, by hand")


def _place_of(repository: RepositoryTexts, path: str, match: re.Match[str]) -> Place:
    line = repository.lines(path).at(match.start())
    return Place(path, line, line)


def _container_in(repository: RepositoryTexts, path: str) -> re.Match[str] | None:
    """Where a file that is not judged describes containers; None where it describes none."""
    name = path.rpartition("/")[2]
    if name.endswith((".bicep", ".tf")) or is_deployment_template(name):
        return containers_in(repository, path)
    text = repository.text(path) if name.endswith((".yml", ".yaml")) else ""
    if _OF_ARGO in text and "image:" in text:
        return _ARGO_WORKFLOW.search(text)
    return _CONTAINER_APP.search(text)


def _has_program(repository: RepositoryTexts, path: str, build: OtherBuild) -> bool:
    """Whether a file only holds parameters of a build whose program is there, which is told once, by that."""
    return path.endswith(".json") and build.service in repository.kept(_build_programs)


def _build_programs(repository: RepositoryTexts) -> frozenset[str]:
    """The services whose builds are projects of the repository."""
    projects = (path for path in repository.paths if path.endswith(".csproj") and repository.scope.is_judged(path))
    builds = (build_in(path, repository.text(path)) for path in projects)
    return frozenset(each.service for each in builds if each is not None)


def _of_other_build(repository: RepositoryTexts, path: str, build: OtherBuild) -> Iterator[Verdict]:
    """One unknown for a build that is not read, where it mentions containers or there is something to build."""
    text = repository.text(path)
    push, images = _push_in(repository, text), dotnet_images_in(text)
    is_about_images = push is not None or images.words or MENTIONS_CONTAINERS.search(text)
    if not is_about_images and not repository.dockerfiles:
        return
    why = f"{build.is_there} that is not read" + (", and seems to push an image" if push is not None else "")
    if images.words:
        why = f"{why}; it names {images.words}"
    place = Place(path, images.line, images.line) if push is None else _place_of(repository, path, push)
    yield unknown(
        place,
        build.service,
        why,
        f"the same practices in that {'build' if build.is_build else 'manifest'}, by hand",
    )


def _push_in(repository: RepositoryTexts, text: str) -> re.Match[str] | None:
    """Where the text of a build pushes an image; a container of the .NET SDK only where a registry is named."""
    pushes = list(_pushes_of_build(text))
    if pushes and not names_registry(repository, text):
        pushes = [each for each in pushes if each.group() != "PublishContainer"]
    return next(iter(pushes), None)


def _pushes_of_build(text: str) -> Iterator[re.Match[str]]:
    """What looks like a push in the text of a build, but in lines that are comments."""
    for match in _PUSHES.finditer(text):
        if not text[text.rfind("\n", 0, match.start()) + 1 : match.start()].lstrip().startswith(_COMMENTS):
            yield match


def _of_azure_pipeline(repository: RepositoryTexts, path: str) -> Iterator[Verdict]:
    text = repository.text(path)
    match = next((each for each in _pushes_of_build(text) if not _is_of_another_task(text, each)), None)
    if match is not None:
        why = "it seems to push an image; such builds are not judged"
        place = _place_of(repository, path, match)
        yield unknown(place, "Azure Pipelines", why, "the same practices in the pipeline, by hand")
    elif script := pushing_script(repository, text):
        why = f"it starts {script}, which pushes an image; such builds are not judged"
        yield unknown(Place(path, 1, 1), "Azure Pipelines", why, "the same practices in the script, by hand")


def _is_of_another_task(text: str, match: re.Match[str]) -> bool:
    """Whether `command: push` is that of a task which pushes no images, such as NuGetCommand@2."""
    task_start = text.rfind("task:", 0, match.start()) if match.group().startswith("command") else -1
    return task_start >= 0 and not text[task_start + len("task:") :].lstrip(" '\"").lower().startswith("docker")


def _scripts(repository: RepositoryTexts, pipeline: Pipeline) -> Iterator[Verdict]:
    """Commands that hand the push to a script or a build tool, whose text is not followed: the first of each."""
    first_by_name: dict[str, tuple[PipelineStep, str]] = {}
    for step, name, command_line in _handing_over(repository, pipeline):
        first_by_name.setdefault(name, (step, command_line))
    for name, (step, command_line) in first_by_name.items():
        why = f"{name} pushes images, and what `{command_line[:80]}` does of it is not followed"
        yield unknown(repository.where(step), step.subject, why, "the push in the workflow itself")


def _handing_over(repository: RepositoryTexts, pipeline: Pipeline) -> Iterator[tuple[PipelineStep, str, str]]:
    """Steps with the script that they hand a push to, and the command that does it."""
    for step in pipeline.steps:
        for command in step.commands if step.events - TESTS_ONLY else ():
            name, command_line = script_of(command), _asked_of(command)
            if name is None or not command_line:
                continue
            if any(push_in_script(repository, text) for text in script_texts(repository, name)):
                yield step, name, command_line


def _asked_of(command: ShellCommand) -> str:
    """The part of a command by which a script or a build tool is seen to be asked for a delivery, or may be: its
    name, a target, or a variable that is set; empty where none says so."""
    if command.name not in BUILD_TOOLS:
        command_line = " ".join(command.words[:2])
        return command_line if _is_delivery(command_line) else ""
    for before, word in pairwise(command.words):
        name, equals, value = word.partition("=")
        is_asked = _HANDS_OVER.search(name) is not None and _TRUE.fullmatch(value) is not None
        if word.startswith("-") or before in _VALUED_OF_TOOLS:
            continue
        if is_asked if equals else is_unknown(word) or _is_delivery(word):
            return f"{command.name} {word}"
    return ""


def _is_delivery(command_line: str) -> bool:
    return _HANDS_OVER.search(command_line) is not None and not _NO_PUSH.search(command_line)


def _handed_over(repository: RepositoryTexts) -> frozenset[str]:
    """The names of scripts that are told of where a workflow starts them."""
    handed_over = (each for pipeline in pipelines(repository) for each in _handing_over(repository, pipeline))
    return frozenset(name.rpartition("/")[2] for _, name, _ in handed_over)


def _programs(repository: RepositoryTexts, pipeline: Pipeline) -> Iterator[Verdict]:
    """Programs that are asked by name to push images, and build files that are handed `--push`."""
    for step in pipeline.steps:
        run = step.mapping.scalar("run")
        is_handed = any("--push" in value for value in step.environment.values())
        if run is None or not step.events - TESTS_ONLY or not (is_handed or _MAY_PUSH.search(run.value)):
            continue
        script = joined_lines(run.value)
        is_handed = is_handed or "--push" in script
        tool = next((each.name for each in step.commands if _takes_options_unseen(each)), "")
        if request := _asked_to_push(script):
            subject = f"`{request}`"
        elif tool and is_handed and not any(map(_pushes, step.commands)):
            subject = f"`{tool}` with `--push`"
        else:
            continue
        place = repository.where(step)
        why = f"{subject} seems to push images, and is not followed"
        yield unknown(place, step.subject, why, "the push in the workflow itself")


def _pushes(command: ShellCommand) -> bool:
    return pushed_names(command) is not None or copies_image(command)


def _takes_options_unseen(command: ShellCommand) -> bool:
    """Whether a command may be handed `--push` by what is not seen: a build file, or an array of a shell."""
    is_build = command.name in _ENGINES and "build" in command.words[1:3]
    return command.name in BUILD_TOOLS or (is_build and SEVERAL in command.words)


def _asked_to_push(script: str) -> str:
    """The program and the target of a command line that asks for images to be pushed; empty where none does."""
    for line in script.split("\n"):
        words = line.split()
        program = next((number for number, word in enumerate(words) if _PROGRAM.fullmatch(word)), len(words))
        for word in words[program + 1 :]:
            target = word.rpartition("=")[2].strip("\"'")
            is_one = len(target) <= _LONGEST_TARGET and _TARGET.fullmatch(target) is not None
            if is_one and not _NO_PUSH.search(target):
                return f"{words[program]} {target}"
    return ""


def _steps(repository: RepositoryTexts, pipeline: Pipeline) -> Iterator[Verdict]:
    """Actions of others that push images by their name, and programs that push what files of their own name."""
    for step in pipeline.steps:
        if not step.events - TESTS_ONLY:
            continue
        place = repository.where(step)
        is_of_build = may_build(step.action) or is_handed_image(step)
        if repository.dockerfiles and (target := starts_deploy(repository, step)):
            why = f"it has {target[:80]} deploy, which is not read"
            yield unknown(place, step.subject, why, f"what {target[:80]} does with that event")
        elif may_push(step.action or step.uses.removeprefix("./") * bool(step.unread)) or (
            repository.dockerfiles and is_of_build
        ):
            does = "deploy" if step.action.endswith("/deploy") else "push"
            why = f"{step.uses} may {does} an image, and is not read"
            yield unknown(place, step.subject, why, f"what {step.uses} does")
        elif pushing := unread_push(repository, step):
            why = f"{pushing}; such builds are not judged"
            yield unknown(place, step.subject, why, "the same practices there, by hand")
        elif started := started_over_ssh(step, has_images=_has_images(repository)):
            why = f"`{started}` runs on a machine that it reaches by SSH, which is not judged"
            yield unknown(place, step.subject, why, "what that machine asks of an image before it runs it")
        elif brought := started_after_push(repository, pipeline, step):
            why = f"{brought}, and may put what was pushed into use, which is not judged"
            yield unknown(place, step.subject, why, "what that asks of an image before it runs it")


def _remote_jobs(repository: RepositoryTexts, pipeline: Pipeline) -> Iterator[Verdict]:
    """Workflows of other repositories that may deliver, by their names."""
    has_images = _has_images(repository)
    for job in pipeline.remote_jobs:
        remote = job.remote or ""
        delivers = _DELIVERS.search(remote) or (has_images and _may_deploy(remote))
        if job.events - TESTS_ONLY and delivers and not remote.startswith(_KNOWN):
            does = "deploy" if _ONLY_DEPLOYS.search(remote) else "build and push"
            why = f"{remote} may {does} an image, and is not read"
            place = repository.where(job)
            yield unknown(place, f"job {job.name}", why, f"what {remote} does")


def _may_deploy(remote: str) -> bool:
    """Whether a workflow of another repository deploys something by its name, and no pages or packages."""
    name = remote.rpartition("/")[2].partition("@")[0]
    return "deploy" in name.lower() and _OF_NO_IMAGE.search(name) is None


def _has_images(repository: RepositoryTexts) -> bool:
    """Whether there are images that something may deploy."""
    own_deliveries = deliveries(repository)
    return bool(repository.dockerfiles or own_deliveries.pushes or own_deliveries.remote_builds)


RULE = Rule(
    "unread-delivery",
    "What delivers images is read",
    "Silence would look like nothing to complain about.",
    FindingSeverity.LOW,
    judge,
)
