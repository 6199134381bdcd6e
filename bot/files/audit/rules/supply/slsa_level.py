"""The build level of SLSA that a workflow can reach is at least 2: provenance that the build platform signs.

What: level 1 has provenance (BuildKit's), level 2 one that GitHub's token signs (actions/attest-build-provenance,
cosign attest without a key). Level 3 needs a builder that its caller cannot change: docker/github-builder,
slsa-github-generator, or a reusable workflow for callers of other repositories.

Example that fails::

    - uses: docker/build-push-action@…    # provenance, but unsigned: level 1

Fix: actions/attest-build-provenance with the digest of the build, `id-token: write` and `attestations: write`.

Exceptions: a workflow that is called from its own repository stays at level 2, since one commit changes both.
"""

from collections.abc import Iterator

from bot.domain.repositories.finding import FindingSeverity
from bot.domain.wording.words import first_few
from bot.files.audit.delivery.coverage import left_out
from bot.files.audit.delivery.deliveries import deliveries
from bot.files.audit.delivery.delivery import Attestation, Push
from bot.files.audit.delivery.gates import about
from bot.files.audit.delivery.statements import asks_for, isolated_provenance, settling
from bot.files.audit.delivery.unread import other_attesters
from bot.files.audit.repository import RepositoryTexts
from bot.files.audit.rule import Rule
from bot.files.audit.suggestions.rights import rights_alone
from bot.files.audit.suggestions.steps import attest_after
from bot.files.audit.verdict import Verdict, fails, holds, unknown

_FIX = "add actions/attest-build-provenance with the digest of the build"


def judge(repository: RepositoryTexts) -> Iterator[Verdict]:
    own_deliveries = deliveries(repository)
    for push in own_deliveries.pushes:
        place = repository.where(push.step)
        signed = [
            each for each in about(repository, push, own_deliveries.attestations) if each.what == "provenance"
        ]
        isolated = isolated_provenance(push.pipeline)
        if isolated is not None:
            why = f"{isolated.remote} signs it, isolated from this workflow"
            yield holds(place, push.subject, f"SLSA build level 3: {why}")
            continue
        if missed := left_out(push, signed):
            why = f"SLSA build level of {missed} is not that of others: {signed[0].tool} is left out for it"
            yield unknown(place, push.subject, why, f"whether others pull what {missed} pushes")
        elif signed:
            yield _judge_attestation(repository, push, signed[0])
        else:
            yield _by_the_build(repository, push)
    for build in own_deliveries.remote_builds:
        place, remote = repository.where(build.job), build.job.remote
        if build.is_signed:
            yield holds(place, build.subject, f"SLSA build level 3: {remote} is isolated from this workflow")
        elif build.is_signed is None:
            why = f"SLSA build level 1 or 3: sign is {build.input('sign')}, which only a run knows"
            yield unknown(place, build.subject, why, "the input written out")
        else:
            why = f"SLSA build level 1: sign is {build.input('sign')}, and nobody signs the provenance"
            yield fails(place, build.subject, why, "leave the input sign at auto")


def _by_the_build(repository: RepositoryTexts, push: Push) -> Verdict:
    """The level where no step signs provenance: what the build itself attaches has no signature."""
    place = repository.where(push.step)
    answer, why = asks_for(repository, push, "provenance")
    if answer is None:
        return unknown(place, push.subject, f"SLSA build level 0 or 1: {why}", settling(repository, push, why))
    if strangers := list(dict.fromkeys(other_attesters(push.pipeline))):
        why = f"SLSA build level {int(answer)} or more: whether {first_few(strangers)} signs provenance is not told"
        return unknown(place, push.subject, why, f"what {first_few(strangers)} does")
    level = f"SLSA build level 1: {why}, which nobody signs" if answer else f"SLSA build level 0: {why}"
    return fails(place, push.subject, level, attest_after(repository, push, _FIX))


def _judge_attestation(repository: RepositoryTexts, push: Push, attestation: Attestation) -> Verdict:
    place = repository.where(attestation.step)
    job = attestation.step.job
    if job.may_write("id-token") is False:
        why = f"{attestation.tool} has no right to an identity: id-token: write is missing"
        fix = rights_alone(repository, attestation.pipeline, attestation.step, "give the job id-token: write")
        return fails(place, push.subject, f"SLSA build level 1: {why}", fix)
    if push.pipeline.events == {"workflow_call"}:
        return holds(
            place, push.subject, "SLSA build level 3 for callers in other repositories, which cannot change it"
        )
    return holds(place, push.subject, f"SLSA build level 2: {attestation.tool} signs it with GitHub's identity")


RULE = Rule(
    "slsa-level",
    "Builds reach SLSA level 2",
    "What nobody signs, anybody can write.",
    FindingSeverity.LOW,
    judge,
)
