"""An image carries a statement of how it was built.

What: provenance by BuildKit (the default of build-push-action and Buildx, where the builder can store it), or an
attestation by actions/attest-build-provenance or a known builder.

Example that fails::

    with: {push: true, provenance: false}

Fix: remove `provenance: false`; use docker/setup-buildx-action before the build.

Exceptions: none. Where a registry cannot take indexes, attest after the push.
"""

from collections.abc import Iterator

from bot.domain.repositories.finding import FindingSeverity, Fix
from bot.domain.wording.words import first_few
from bot.files.audit.delivery.action_versions import attaches_none_unasked
from bot.files.audit.delivery.coverage import left_out
from bot.files.audit.delivery.deliveries import BAKE, BUILDKIT_ACTIONS, deliveries
from bot.files.audit.delivery.delivery import Push
from bot.files.audit.delivery.engine_images import stands_on_engine
from bot.files.audit.delivery.gates import about
from bot.files.audit.delivery.statements import (
    ENGINES_WITH_BUILDX,
    JOINED,
    ON_BUILDER,
    is_manifest,
    is_of_windows,
    isolated_provenance,
    told_of,
)
from bot.files.audit.delivery.unread import other_attesters
from bot.files.audit.repository import RepositoryTexts
from bot.files.audit.rule import Rule
from bot.files.audit.suggestions.steps import provenance_on
from bot.files.audit.verdict import Verdict, fails, holds, unknown

_FIX = "attach provenance: leave `provenance` at its default"

_IN_ONE = "build and push in one, with `docker buildx build --provenance=mode=max --push`"


def judge(repository: RepositoryTexts) -> Iterator[Verdict]:
    own_deliveries = deliveries(repository)
    for push in own_deliveries.pushes:
        made = [each for each in about(repository, push, own_deliveries.attestations) if each.what == "provenance"]
        attesting = next((each.tool for each in made), "")
        isolated = isolated_provenance(push.pipeline)
        by = attesting or (isolated.remote if isolated is not None else "")
        attested = f"{by} attests how it was built" if by else ""
        verdict, why = told_of(repository, push, "provenance", attested, left_out(push, made))
        if verdict is not None:
            yield verdict
        elif strangers := list(dict.fromkeys(other_attesters(push.pipeline))):
            why = f"{why}, and whether {first_few(strangers)} attaches it is not told"
            yield unknown(repository.where(push.step), push.subject, why, f"what {first_few(strangers)} does")
        else:
            is_apart = stands_on_engine(repository, push)
            fix = Fix(_BY_DIGEST) if is_apart else provenance_on(repository, push, _advice(push))
            yield fails(repository.where(push.step), push.subject, f"the image gets no provenance: {why}", fix)
    for build in own_deliveries.remote_builds:
        place = repository.where(build.job)
        yield holds(place, build.subject, f"{build.job.remote} attests how it was built")


def _advice(push: Push) -> str:
    """What attaches it: a setting where Buildx builds and pushes in one, another way of pushing elsewhere."""
    command = push.command
    if attaches_none_unasked(push.step):
        return "set provenance: mode=max"
    if push.step.action in BUILDKIT_ACTIONS:
        return _FIX
    if push.step.action == BAKE:
        return f"{_FIX}, {ON_BUILDER}"
    if command is not None and is_manifest(command):
        return f"{_FIX} where its images are built, and {JOINED}"
    if command is not None and command.name in ENGINES_WITH_BUILDX and not is_of_windows(push):
        return f"{_FIX if 'buildx' in command.words[:2] else _IN_ONE}, {ON_BUILDER}"
    return _BY_DIGEST


_BY_DIGEST = "attest what is pushed, by its digest: actions/attest-build-provenance"


RULE = Rule(
    "provenance",
    "Images carry provenance",
    "It tells an image of the pipeline from one that somebody pushed.",
    FindingSeverity.MEDIUM,
    judge,
)
