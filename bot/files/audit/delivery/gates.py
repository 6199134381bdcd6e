"""Which scans, signatures and statements go with which push."""

import re
from collections.abc import Iterable
from typing import TypeVar

from bot.domain.repositories.finding import Fix
from bot.files.audit.delivery.deliveries import deliveries
from bot.files.audit.delivery.delivery import Attestation, ImageScan, Push, Signing, Verification
from bot.files.audit.delivery.named_images import is_another_image, target_fits
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
    if isinstance(check, ImageScan):
        return (check.target,) if check.target else ()
    subject = check.step.input("subject-name")
    return (subject,) if subject else ()


def _may_be_one_of(name: str, heads: set[str]) -> bool:
    return name in heads or not heads or is_unknown(name) or any(map(is_unknown, heads))


def about(repository: RepositoryTexts, push: Push, candidates: Iterable[Found]) -> list[Found]:
    """Returns the scans, signatures or statements of runs that push which are of this image, or may be: none that
    names another one. Where several pushes share a run, those that name this one count alone."""
    fits = [(each, _fits(repository, push, each)) for each in related(push, candidates)]
    may_be = [each for each, fit in fits if fit is not False]
    others = [
        other
        for other in deliveries(repository).pushes
        if may_be and other.pipeline is push.pipeline and other is not push and is_another_image(push, other)
    ]
    if not others:
        return may_be
    fitting = [each for each, fit in fits if fit is True]
    return fitting or [
        each for each in may_be if not any(_fits(repository, other, each) is True for other in others)
    ]


def _fits(repository: RepositoryTexts, push: Push, check: ImageScan | Signing | Attestation) -> bool | None:
    """Whether a check is of what is pushed, by the names that it is given."""
    fits = {target_fits(repository, push, check.step, name) for name in _names_of(check)}
    return True if True in fits else False if fits == {False} else None


def scans_of(repository: RepositoryTexts, push: Push) -> list[ImageScan]:
    """The image scans in the runs that push which are of the image, or may be."""
    return about(repository, push, deliveries(repository).scans)


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
