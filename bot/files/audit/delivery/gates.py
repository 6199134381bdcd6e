"""Which scans, signatures and statements go with which push."""

import re
from collections.abc import Iterable
from typing import TypeVar

from bot.domain.repositories.finding import Fix
from bot.files.audit.delivery.building import names_of_image
from bot.files.audit.delivery.deliveries import deliveries
from bot.files.audit.delivery.delivery import Attestation, ImageScan, Push, Signing, Verification
from bot.files.audit.delivery.digests import OF_STEP, writer_of
from bot.files.audit.delivery.pushing import only_local, repository_of
from bot.files.audit.repository import RepositoryTexts
from bot.files.audit.shell import is_unknown
from bot.files.audit.splicing.keys import with_key
from bot.files.audit.workflows.model import TESTS_ONLY, Pipeline, PipelineStep

_TESTS = re.compile(r"(?:^|[._-])(?:tests?|tester|e2e|conformance|examples?|ci)(?=[._-])", re.IGNORECASE)
_AFTER_FAILURE = re.compile(r"\b(?:always|failure)\s*\(|!\s*cancelled\s*\(", re.IGNORECASE)
UPLOAD_ADVICE = "upload with if: ${{ !cancelled() }}"
Found = TypeVar("Found", ImageScan, Signing, Attestation)


def is_related(push: Push, step: PipelineStep) -> bool:
    """Whether a step is about what is pushed: in the same job, or one before or after it, in a run that pushes."""
    if not step.events & push.events:
        return False
    if step.job is push.step.job:
        return True
    return step.job.is_before(push.step.job) or push.step.job.is_before(step.job)


def related(push: Push, candidates: Iterable[Found]) -> list[Found]:
    """Returns the scans, signatures or statements among `candidates` that runs which push make of the image."""
    return [each for each in candidates if each.pipeline is push.pipeline and is_related(push, each.step)]


def elsewhere(push: Push, candidates: Iterable[Found]) -> list[Found]:
    """The signatures or statements of other workflows about an image that may be the pushed one, by its name."""
    heads = {repository_of(name) for name in push.names}
    return [
        each
        for each in candidates
        if each.pipeline is not push.pipeline
        and any(_may_be_one_of(repository_of(name), heads) for name in _names_of(each))
    ]


def _names_of(check: ImageScan | Signing | Attestation) -> tuple[str, ...]:
    if isinstance(check, Signing):
        return check.names
    subject = check.step.input("subject-name")
    return (subject,) if subject else ()


def _may_be_one_of(name: str, heads: set[str]) -> bool:
    return name in heads or not heads or is_unknown(name) or any(map(is_unknown, heads))


def scans_of(repository: RepositoryTexts, push: Push) -> list[ImageScan]:
    """The image scans in the runs that push; where several pushes share a job, those whose name fits."""
    scans = related(push, deliveries(repository).scans)
    siblings = [
        other for other in deliveries(repository).pushes if other.pipeline is push.pipeline and other is not push
        and other.step.job is push.step.job
    ]  # fmt: skip
    if not siblings:
        return scans
    names = names_of_image(push)
    fitting = [
        scan
        for scan in scans
        if target_fits(repository, push, scan.step, scan.target) is True
        or scan.target.removesuffix(":latest") in names
    ]
    return fitting or [
        scan
        for scan in scans
        if not any(target_fits(repository, each, scan.step, scan.target) is True for each in siblings)
    ]


def uploads_of(scan: ImageScan) -> list[PipelineStep]:
    """The steps after a scan that upload SARIF to code scanning."""
    return [
        step
        for step in scan.pipeline.steps
        if step.action == "github/codeql-action/upload-sarif" and scan.step.is_before(step)
    ]


def is_after_failure(step: PipelineStep) -> bool:
    """Whether a step runs although one before it failed."""
    return _AFTER_FAILURE.search(step.condition) is not None


def upload_fix(repository: RepositoryTexts, step: PipelineStep) -> Fix:
    return with_key(repository, step.mapping, "if", ["${{ !cancelled() }}"], UPLOAD_ADVICE)


def signings_of_images(repository: RepositoryTexts) -> list[Signing]:
    """The signatures of what others pull: none of tests, nor of images that only the run itself has."""
    return [
        signing
        for signing in deliveries(repository).signings
        if not only_local(signing.names) and not is_test(repository, signing.pipeline)
    ]


def verifications_that_count(repository: RepositoryTexts) -> list[Verification]:
    """The verifications that something hangs on: none that try out how verifying works."""
    return [each for each in deliveries(repository).verifications if not is_test(repository, each.pipeline)]


def is_test(repository: RepositoryTexts, pipeline: Pipeline) -> bool:
    """Whether a workflow that pushes nothing tries something out: by its name, or since a change that is not
    accepted yet starts it, and besides that only a person."""
    if pipeline in repository.kept(_pushing):
        return False
    is_of_changes = bool(pipeline.events & TESTS_ONLY) and pipeline.events <= TESTS_ONLY | {"workflow_dispatch"}
    return is_of_changes or _TESTS.search(pipeline.path.rpartition("/")[2]) is not None


def _pushing(repository: RepositoryTexts) -> frozenset[Pipeline]:
    return frozenset(deliveries(repository).pushing())


def target_fits(repository: RepositoryTexts, push: Push, step: PipelineStep, target: str) -> bool | None:
    """Whether a reference that a step scans, signs or verifies is what is pushed; None where that is not told."""
    target = target.strip()
    if not target:
        return None
    if push.step.id and writer_of(repository, push.pipeline, step, target) == (push.step.job.name, push.step.id):
        return True
    names = [name for name in push.names if name]
    if target in names or any(f"{name}:latest" == target or name == f"{target}:latest" for name in names):
        return True
    if any(OF_STEP.search(name) and target.startswith(f"{name}@") for name in names):
        return True
    if is_unknown(target) or any(is_unknown(name) for name in names) or not names:
        heads = {repository_of(name) for name in names}
        if not is_unknown(repository_of(target)) and heads and not any(is_unknown(head) for head in heads):
            return None if repository_of(target) in heads else False
        return None
    return None if repository_of(target) in {repository_of(name) for name in names} else False
