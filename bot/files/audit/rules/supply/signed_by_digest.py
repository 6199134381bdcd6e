"""A signature is made for a digest, not for a tag.

What: what `cosign sign` is given holds `@sha256:…`, or `@` with the digest that the build step gave.

Example that fails::

    run: cosign sign --yes contoso/api:${{ github.sha }}

Fix: `cosign sign --yes contoso/api@${{ steps.build.outputs.digest }}`.

Exceptions: references that a script puts together, and digests that no step writes, are unknown.
"""

import re
from collections.abc import Iterator

from bot.domain.repositories.finding import FindingSeverity, Fix
from bot.files.audit.delivery.deliveries import BUILDKIT_ACTIONS, deliveries
from bot.files.audit.delivery.delivery import Signing
from bot.files.audit.delivery.digests import unwritten_digest
from bot.files.audit.delivery.gates import signings_of_images
from bot.files.audit.delivery.named_images import target_fits
from bot.files.audit.repository import RepositoryTexts
from bot.files.audit.rule import Rule
from bot.files.audit.shell import is_unknown
from bot.files.audit.splicing.keys import NotSpliceable
from bot.files.audit.suggestions.digests import digest_of_push
from bot.files.audit.verdict import Verdict, fails, holds, unknown
from bot.files.audit.workflows.model import PipelineStep

_JOINED = re.compile(r"^\s*\w+\+?=[^\n]*@(?:\$\{?\{?[^\n]*digest|sha256:)", re.IGNORECASE | re.MULTILINE)


def judge(repository: RepositoryTexts) -> Iterator[Verdict]:
    for signing in signings_of_images(repository):
        place, subject = repository.where(signing.step), signing.step.subject
        names = [name for name in signing.names if name]
        is_by_digest = bool(names) and all("@" in name or "digest" in name.lower() for name in names)
        if is_by_digest or _is_put_together_with_digest(signing.step, names):
            unwritten = unwritten_digest(signing.pipeline, signing.step, names)
            if unwritten:
                why = f"it signs the digest {unwritten}, which no step of the job is seen to write"
                yield unknown(place, subject, why, "a step that writes it, as the one that builds does")
            elif is_by_digest:
                yield holds(place, subject, "it signs the digest")
            else:
                yield holds(place, subject, "it signs names that the script puts together with the digest")
        elif not names or any(is_unknown(name.rpartition(":")[2]) and ":" not in name for name in names):
            yield unknown(
                place,
                subject,
                "what it signs is put together in a run",
                "the digest written out, as the output of the step that pushes",
            )
        elif any(name.startswith("\N{REPLACEMENT CHARACTER}") for name in names):
            yield unknown(
                place,
                subject,
                "what it signs is put together by the shell",
                "the digest written out, as the output of the step that pushes",
            )
        else:
            tag_name = next(name for name in names if "@" not in name)
            yield fails(
                place, subject, f"it signs a tag, {tag_name[:120]}", _by_digest(repository, signing, tag_name)
            )


def _by_digest(repository: RepositoryTexts, signing: Signing, name: str) -> Fix:
    """Suggests the digest of the step of the same job that pushes what is signed."""
    advice = _advice(repository, signing, name)
    if len(signing.names) != 1:
        return Fix(advice)
    try:
        edit = digest_of_push(repository, signing.step, name, "what it signs")
    except NotSpliceable as error:
        return Fix(advice, left_alone=str(error))
    return Fix(advice, suggested=(edit,) if edit is not None else ())


def _advice(repository: RepositoryTexts, signing: Signing, name: str) -> str:
    """Names the step whose output the digest is, as far as one of the same job is seen to push what is signed."""
    pushes = [
        push
        for push in deliveries(repository).pushes
        if push.step.job is signing.step.job and push.step.action in BUILDKIT_ACTIONS
    ]
    fitting = [push for push in pushes if target_fits(repository, push, signing.step, name) is not False]
    if len(fitting) != 1:
        return "sign the digest that the push tells, …@sha256:…, in place of the tag"
    step = fitting[0].step.id
    has_none = "" if step else "give the step that pushes an id, such as build, and "
    return f"{has_none}sign …@${{{{ steps.{step or 'build'}.outputs.digest }}}}"


def _is_put_together_with_digest(step: PipelineStep, names: list[str]) -> bool:
    """Whether all that is signed are variables, and the script joins names and a digest into such."""
    run = step.mapping.scalar("run")
    is_variable = all(name.strip("\N{REPLACEMENT CHARACTER} ") == "" for name in names)
    return run is not None and bool(names) and is_variable and _JOINED.search(run.value) is not None


RULE = Rule(
    "signed-by-digest",
    "Signatures are made for digests",
    "A tag may have moved between the push and the signature.",
    FindingSeverity.MEDIUM,
    judge,
)
