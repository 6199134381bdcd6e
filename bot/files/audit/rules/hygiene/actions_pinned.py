"""Actions that scan, sign, log in, build or deploy images are named by commit, not by tag.

What: `uses:` of such an action names a commit, also of one that starts containers over SSH or has a registry's
password, or of a workflow that gets all secrets; `docker://` images have a digest.

Example that fails::

    - uses: docker/login-action@v3

Fix: `docker/login-action@<commit> # v3.6.0`.

Exceptions: own actions, those that sign packages, workflows for pull requests only, build actions where nothing is
pushed or signed in.
"""

import re
from collections.abc import Iterator

from bot.domain.repositories.finding import FindingSeverity
from bot.files.audit.delivery.deliveries import deliveries
from bot.files.audit.delivery.deploys import brings_image
from bot.files.audit.delivery.over_ssh import started_over_ssh
from bot.files.audit.delivery.touching import with_images
from bot.files.audit.delivery.unread import SIGNS_FILES, may_publish, may_push
from bot.files.audit.repository import RepositoryTexts
from bot.files.audit.rule import Rule
from bot.files.audit.verdict import Verdict, fails, holds, unknown
from bot.files.audit.workflows.flattening import pipelines
from bot.files.audit.workflows.model import TESTS_ONLY, Pipeline, PipelineStep

_SENSITIVE = re.compile(
    r"^(?:docker|depot|aquasecurity|anchore|sigstore|slsa-framework|redhat-actions|snyk|sysdiglabs|notaryproject"
    r"|aws-actions/amazon-ecr-login|aws-actions/configure-aws-credentials|azure/(?:login|docker-login|acr\S*|container-scan)"
    r"|google-github-actions/auth|actions/attest\S*|github/codeql-action/upload-sarif|step-security|chainguard-\w+"
    r"|crazy-max/ghaction-container-scan|goreleaser|imjasonh|ko-build|benchmark-action|lacework|wiz-sec\S*"
    r"|elgohr|macbre|mr-smithers-excellent|whoan)(?:/|$)"
    r"|^(?!nuget/)[\w.-]+(?:/[\w.-]+)*/(?:[\w-]*(?:scan|sign|login|attest|build-push|docker-build)[\w-]*)$"
)
_BUILDS = re.compile(r"^docker/(?!login|scout)|^depot/|build-push|docker-build")
"""Actions that only build: in a workflow that delivers nothing they touch nothing that others pull."""
_OF_SOURCES = re.compile(r"sonar|codeql-action/(?!upload)|resharper|inspectcode|license|secret-scan")
"""Scanners that look at sources alone."""
_OF_MORE = re.compile(
    r"azure/login|google-github-actions/auth|aws-actions/configure-aws-credentials|github/codeql-action/upload-sarif"
    r"|(?!.*(?:docker|podman|ecr|acr|ghcr|registry|container))[\w./-]*login[\w-]*"
)
"""Actions that are about images in some workflows, and about all else in others."""
_REGISTRY = r"registry|docker|ghcr|acr|ecr|quay|harbor"
_WORDS_OF_SECRETS = r"password|passwd|token|secret|pat"
_INPUT_OF_REGISTRY = re.compile(rf"(?:.*[-_])?(?:{_REGISTRY})(?:hub)?[-_](?:{_WORDS_OF_SECRETS})", re.IGNORECASE)
_SECRET_OF_REGISTRY = re.compile(
    rf"\$\{{\{{\s*secrets\.(?:\w*_)?(?:{_REGISTRY})(?:_?HUB)?(?:_\w*)?_?(?:{_WORDS_OF_SECRETS})\s*\}}\}}",
    re.IGNORECASE,
)
"""A secret that is called a registry's password."""
_COMMIT = re.compile(r"[0-9a-f]{40}")
_FIX = "write the commit, with the version as a comment behind it"


def judge(repository: RepositoryTexts) -> Iterator[Verdict]:
    keys: set[tuple[str, int]] = set()
    own_deliveries = deliveries(repository)
    pushing = set(own_deliveries.pushing())
    deploying = {
        each.step
        for each in own_deliveries.deploys
        if each.command is None and brings_image(repository, each) is not False
    }
    has_images = bool(repository.dockerfiles or pushing)
    touching = with_images(repository)
    for pipeline in pipelines(repository):
        delivers = pipeline in pushing or any("login" in step.action for step in pipeline.steps)
        for step in pipeline.steps:
            scalar = step.uses_at
            if scalar is None or not step.events - TESTS_ONLY or (step.path, scalar.start) in keys:
                continue
            keys.add((step.path, scalar.start))
            name, _, version = scalar.value.strip().partition("@")
            place = repository.place(scalar, step.path)
            if scalar.value.startswith("docker://"):
                if "@sha256:" in scalar.value:
                    yield holds(place, f"action {name}", "the image has a digest")
                else:
                    yield fails(place, f"action {name}", "the image has no digest", "write its digest")
            elif scalar.value.startswith("./") or not (
                (_is_asked(name.lower(), delivers) and not _is_about_others(step, of_images=pipeline in touching))
                or step in deploying
                or _has_registry_password(step)
                or (has_images and started_over_ssh(step, has_images=has_images))
            ):
                continue
            elif _COMMIT.fullmatch(version):
                yield holds(place, f"action {name}", "it is named by commit")
            elif "${{" in version:
                yield unknown(place, f"action {name}", "its version is an expression", "a commit")
            else:
                yield fails(place, f"action {name}", f"{version or 'no version'} can be moved to other code", _FIX)
        if has_images:
            yield from _of_workflows(repository, pipeline)


def _has_registry_password(step: PipelineStep) -> bool:
    """Whether a step is given a secret that its input, or the secret's own name, calls a registry's password."""
    return any(
        _SECRET_OF_REGISTRY.fullmatch(value.strip()) or (_INPUT_OF_REGISTRY.fullmatch(name) and "secrets." in value)
        for name, value in step.inputs.items()
    )


def _is_about_others(step: PipelineStep, *, of_images: bool) -> bool:
    """Whether a step attests files, or signs in to a cloud or uploads a report in a workflow without any image."""
    if step.action.startswith("actions/attest"):
        return bool(step.input("subject-path") or step.input("subject-checksums"))
    return not of_images and _OF_MORE.fullmatch(step.action) is not None


def _of_workflows(repository: RepositoryTexts, pipeline: Pipeline) -> Iterator[Verdict]:
    """On workflows of other owners that may publish something, and are given all secrets.

    Where the owner is not known, one that stands here under its path is the repository's own.
    """
    own = repository.name.partition("/")[0].lower()
    for job in pipeline.remote_jobs:
        uses, secrets = job.mapping.scalar("uses"), job.mapping.scalar("secrets")
        is_given_all = secrets is not None and secrets.value == "inherit"
        if uses is None or not is_given_all or not job.events - TESTS_ONLY or not may_publish(job):
            continue
        name, _, version = uses.value.strip().partition("@")
        place, subject = repository.place(uses, job.path), f"workflow {name}"
        path = "/".join(name.split("/")[2:])
        if name.lower().startswith(f"{own}/") if own else path in repository:
            continue
        if _COMMIT.fullmatch(version):
            yield holds(place, subject, "it is named by commit")
        else:
            why = f"{version or 'no version'} can be moved to other code, which is given all secrets"
            yield fails(place, subject, why, f"{_FIX}, or hand over the secrets that it takes alone")


def _is_asked(action: str, delivers: bool) -> bool:
    if may_push(action):
        return True
    is_of_files = _OF_SOURCES.search(action) or ("sign" in action and SIGNS_FILES.search(action))
    is_sensitive = _SENSITIVE.search(action) is not None and not is_of_files
    return is_sensitive and (delivers or not _BUILDS.search(action))


RULE = Rule(
    "actions-pinned",
    "Actions that touch images are named by commit",
    "A tag can be moved to other code, as has happened to scanners.",
    FindingSeverity.HIGH,
    judge,
)
