"""An image carries a statement of how it was built.

What: provenance by BuildKit (the default of build-push-action and Buildx, where the builder can store it), or an
attestation by actions/attest-build-provenance or a known builder.

Example that fails::

    with: {push: true, provenance: false}

Fix: remove `provenance: false`; use docker/setup-buildx-action before the build.

Exceptions: none. Where a registry cannot take indexes, attest after the push.
"""

from collections.abc import Iterator

from bot.domain.repositories.finding import FindingSeverity
from bot.files.audit.delivery.action_versions import attaches_none_unasked
from bot.files.audit.delivery.deliveries import BAKE, BUILDKIT_ACTIONS, deliveries
from bot.files.audit.delivery.delivery import Push
from bot.files.audit.delivery.gates import related
from bot.files.audit.delivery.statements import (
    ENGINES_WITH_BUILDX,
    JOINED,
    ON_BUILDER,
    asks_for,
    is_manifest,
    is_of_windows,
    isolated_provenance,
    settling,
)
from bot.files.audit.repository import RepositoryTexts
from bot.files.audit.rule import Rule
from bot.files.audit.suggestions.steps import provenance_on
from bot.files.audit.verdict import Verdict, fails, holds, unknown

_FIX = "attach provenance: leave `provenance` at its default"

_IN_ONE = "build and push in one, with `docker buildx build --provenance=mode=max --push`"


def judge(repository: RepositoryTexts) -> Iterator[Verdict]:
    own_deliveries = deliveries(repository)
    for push in own_deliveries.pushes:
        place = repository.where(push.step)
        attested = next(
            (each for each in related(push, own_deliveries.attestations) if each.what == "provenance"),
            None,
        )
        isolated = isolated_provenance(push.pipeline)
        answer, why = asks_for(repository, push, "provenance")
        if attested is not None:
            yield holds(place, push.subject, f"{attested.tool} attests how it was built")
        elif isolated is not None:
            yield holds(place, push.subject, f"{isolated.remote} attests how it was built")
        elif answer is True:
            yield holds(place, push.subject, why)
        elif answer is None:
            yield unknown(place, push.subject, why, settling(why))
        else:
            fix = provenance_on(repository, push, _advice(push))
            yield fails(place, push.subject, f"the image gets no provenance: {why}", fix)
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
    return "attest what is pushed, by its digest: actions/attest-build-provenance"


RULE = Rule(
    "provenance",
    "Images carry provenance",
    "It tells an image of the pipeline from one that somebody pushed.",
    FindingSeverity.MEDIUM,
    judge,
)
