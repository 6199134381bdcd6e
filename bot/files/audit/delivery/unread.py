"""What pipelines call that is not read here, and that may scan or sign all the same."""

import re
from collections.abc import Callable, Iterator

from bot.files.audit.delivery.deliveries import ISOLATED_PROVENANCE, PUSHING_ACTIONS
from bot.files.audit.delivery.github_builder import GITHUB_BUILDER
from bot.files.audit.repository import RepositoryTexts
from bot.files.audit.shell import ShellCommand, is_unknown
from bot.files.audit.workflows.flattening import pipelines
from bot.files.audit.workflows.model import Pipeline, PipelineJob, PipelineStep
from bot.files.audit.workflows.refs import patterns_of
from bot.files.audit.workflows.scripts import BUILD_TOOLS, SHELL_SCRIPTS, place_of_script, script_of, script_texts

OTHER_SCANNERS = re.compile(
    r"snyk|sysdig|wiz|prisma|twistlock|lacework|clair|anchore|aqua|azure/container-scan|container-scan|grype|trivy|scout"
    r"|sysdiglabs|mend|jfrog|xray|rapid7|checkmarx|veracode|qualys|tenable|orca|neuvector|vuln|scan"
)
_READ_SCANNERS = frozenset(
    {"aquasecurity/trivy-action", "anchore/scan-action", "anchore/sbom-action", "aquasecurity/setup-trivy"}
)
_NOT_SCANNERS = re.compile(
    r"codeql|govulncheck|scorecard|secret|gitleaks|trufflehog|sonar|license|lint|tfsec|checkov|kics|terrascan|sbom|setup-|install|scanner-setup"
)

SIGNS_FILES = re.compile(
    r"nuget|nupkg|msi|(?<!cosign-)installer|authenticode|apk|code-?sign|cert|binar|trusted-signing|artifact-signing|appx|ipa-"
)
"""Actions that sign packages and programs, or fetch what these are signed with, by their names."""

_SCANS_IMAGE = {
    program: re.compile(pattern)
    for programs, pattern in (
        ("wizcli wiz-cli", r"\bscan\s+container-image\b|\bdocker\s+scan\b"),
        ("snyk", r"\bcontainer\s+(?:test|monitor)\b"),
        ("lacework", r"\bcontainer\s+scan\b"),
        ("jf jfrog", r"\bdocker\s+scan\b"),
        ("mend qscanner", r"\bimage\b"),
        ("orca-cli osv-scanner", r"\bimage\s+scan\b|\bscan\s+image\b"),
        ("twistcli", r"\bimages\s+scan\b"),
        ("anchore-cli anchorectl", r"\bimage\s+(?:add|vuln\w*|check)\b"),
        ("sysdig-cli-scanner lw-scanner clair-scanner clairctl scannercli", r"\S"),
        ("docker", r"^scan\b"),
    )
    for program in programs.split()
}
"""Scanners that are started as commands, with what they are asked where they look at an image."""


_PUSHES_BY_NAME = re.compile(
    r"^(?!docker/|azure/).*(?:(?:docker|image|container|kaniko)[\w-]*(?:push|publish|release|build)"
    r"|(?:push|publish|release|build|promote|(?<![a-z])(?:re)?tag)[\w-]*(?:docker|image|container)"
    r"|(?:docker|image|container)[\w-]*/(?:[\w.-]+/)*(?:build|push|publish|import|deploy)|kaniko)[\w-]*$"
)
_LONGEST_ACTION = 250
"""Owner, name and folder: what is longer names no action, and would keep the pattern busy for ever."""
_BUILDS_BY_NAME = re.compile(
    r"(?!(?:actions|docker|azure|github|gradle|google-github-actions|aws-actions)/)[\w.-]+/[\w.-]+/(?:[\w.-]+/)*"
    r"(?:build|publish|release|deploy)(?:-hotfix|-and-[\w-]+)?"
)


_OF_BUILDS = re.compile(r"build|publish|release|deploy|push|ship|deliver")
_OF_IMAGES = re.compile(
    r"(?:push|(?:container|docker)[-_]?(?:file|image|registry|repository)[\w-]*)", re.IGNORECASE
)
_NO_BUILD = re.compile(
    r"^(?:docker|azure|actions|aws-actions|google-github-actions)/|lint|scan|login|setup|cache|metadata"
)


_KNOWN = (GITHUB_BUILDER, ISOLATED_PROVENANCE)
_ONLY_CHECKS = re.compile(
    r"/(?![^/]*(?:publish|push|release|deploy))"
    r"[^/]*(?:lint|tests?|check|scan|analy|valid|verif|codeql|label|format)[^/]*$",
    re.IGNORECASE,
)


def is_handed_image(step: PipelineStep) -> bool:
    """Whether an action of others that builds or publishes something is told of a Dockerfile or an image, or to
    push."""
    if not _OF_BUILDS.search(step.action) or _NO_BUILD.search(step.action) or step.action in PUSHING_ACTIONS:
        return False
    given = [name for name, value in step.inputs.items() if value and value.lower() != "false"]
    return any(map(_OF_IMAGES.fullmatch, given))


def starts_deploy(repository: RepositoryTexts, step: PipelineStep) -> str:
    """The repository in which a step starts a deploy by an event of that name; empty for none, or for this one."""
    target, event = step.input("repository"), step.input("event-type")
    is_one = step.action.endswith("/repository-dispatch") and "deploy" in f"{target} {event}".lower()
    return target if is_one and not _is_taken_here(repository, target, event) else ""


def _is_taken_here(repository: RepositoryTexts, target: str, event: str) -> bool:
    """Whether an event is sent to this repository, as far as its name is known, and a workflow here takes it."""
    is_elsewhere = repository.name != "" and not is_unknown(target) and target.lower() != repository.name.lower()
    events = (each.root.mapping("on").mapping("repository_dispatch") for each in pipelines(repository))
    return not is_elsewhere and any(event in patterns_of(each, "types") for each in events)


def may_push(action: str) -> bool:
    """Whether an action of others pushes or deploys images, by its name."""
    is_name = len(action) <= _LONGEST_ACTION and action not in PUSHING_ACTIONS
    return is_name and _PUSHES_BY_NAME.search(action) is not None


def may_build(action: str) -> bool:
    """Whether an action in a folder of others is called after building or publishing, whatever that is of."""
    return len(action) <= _LONGEST_ACTION and _BUILDS_BY_NAME.fullmatch(action) is not None


def may_publish(job: PipelineJob) -> bool:
    """Whether a job calls a workflow of others that may publish something, whatever: none that checks by its name,
    nor one of those that are known to build images alone."""
    remote = job.remote or ""
    return bool(remote) and not remote.startswith(_KNOWN) and _ONLY_CHECKS.search(remote) is None


def other_scanners(pipeline: Pipeline) -> Iterator[str]:
    """Names of what a pipeline calls that may be a scanner, and is not read here."""
    yield from _workflows_of_others(pipeline)
    yield from _unread_steps(pipeline, _may_scan)
    for step in pipeline.steps:
        yield from (f"`{scan}`" for each in step.commands if (scan := _scan_of_image(each)))


def other_signers(pipeline: Pipeline) -> Iterator[str]:
    """Names of what a pipeline calls that may sign an image, and is not read here."""
    yield from _workflows_of_others(pipeline)
    yield from _unread_steps(pipeline, _may_sign)


def other_attesters(pipeline: Pipeline) -> Iterator[str]:
    """Names of what a pipeline calls that may attach a statement to an image, and is not read here: of workflows
    and actions of others those that are called so."""
    yield from (each for each in _workflows_of_others(pipeline) if _ATTESTS.search(each.lower()))
    yield from _unread_steps(pipeline, lambda name: _ATTESTS.search(name) is not None)


_ATTESTS = re.compile(
    r"attest|provenance|(?:sign|sbom)[\w-]{0,40}(?:image|container)|(?:image|container)[\w-]{0,40}(?:sign|sbom)"
)
_READ_ATTESTERS = re.compile(r"actions/attest(?:-build-provenance|-sbom)?")


def _workflows_of_others(pipeline: Pipeline) -> Iterator[str]:
    for job in pipeline.remote_jobs:
        if job.remote is not None and not job.remote.startswith(("slsa-framework/", GITHUB_BUILDER)):
            yield job.remote


def _unread_steps(pipeline: Pipeline, may_do: Callable[[str], bool]) -> Iterator[str]:
    """The steps whose program is not read: any that the repository itself names, and of others those that may do it
    by the name of their action or image."""
    for step in pipeline.steps:
        name = step.uses.removeprefix("docker://").lower() if step.uses.startswith("docker://") else step.action
        is_read = step.action in _READ_SCANNERS or _READ_ATTESTERS.fullmatch(step.action) is not None
        if step.unread or (name and not is_read and not step.action.startswith("docker/") and may_do(name)):
            yield step.uses if step.unread or not step.action else step.action


def _may_scan(name: str) -> bool:
    return OTHER_SCANNERS.search(name) is not None and _NOT_SCANNERS.search(name) is None


def _may_sign(name: str) -> bool:
    is_one = "sign" in name or "notation" in name
    return is_one and SIGNS_FILES.search(name) is None and "cosign-installer" not in name


def _scan_of_image(command: ShellCommand) -> str:
    """The first words with which a scanner of others looks at an image, on its own or in a container; empty for any
    other command."""
    is_in_container = command.name in {"docker", "podman"} and command.words[1:2] == ("run",)
    for number, word in enumerate(command.words if is_in_container else command.words[:1]):
        name = re.split(r"[:@]", word.replace("\\", "/").rpartition("/")[2])[0].removesuffix(".exe")
        arguments = command.words[number + 1 :]
        if (asked := _SCANS_IMAGE.get(name)) and asked.search(" ".join(arguments)):
            return " ".join((name, *arguments[:2]))[:80]
    return ""


def scripts_called(repository: RepositoryTexts, pipeline: Pipeline, programs: str) -> Iterator[str]:
    """Scripts and build tools that steps run, which may run one of the programs (a pattern).

    Those of the repository whose text names none of them run none.
    """
    for step in pipeline.steps:
        for command in step.commands:
            name = script_of(command)
            if name is None:
                continue
            texts = script_texts(repository, name)
            may_be_one = not texts and (name.endswith(SHELL_SCRIPTS) or name in BUILD_TOOLS.values())
            if may_be_one or any(re.search(programs, text) for text in texts):
                yield f"`{' '.join((command.words[0], *_said(command)))}`"


def _said(command: ShellCommand) -> tuple[str, ...]:
    """The word behind the name of a program: that of the script, where it runs one."""
    if (number := place_of_script(command)) is None:
        return command.words[1:2]
    return command.words[number : number + 1] if number else command.words[1:2]
