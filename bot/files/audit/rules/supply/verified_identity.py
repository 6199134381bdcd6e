"""Who verifies a signature says whose signature counts.

What: `cosign verify` without a key has `--certificate-identity` or an anchored `--certificate-identity-regexp`,
and `--certificate-oidc-issuer`, and verifies a digest, not a tag.

Example that fails::

    run: cosign verify --certificate-identity-regexp '.*' --certificate-oidc-issuer-regexp '.*' contoso/api

Fix: `--certificate-identity-regexp '^https://github\\.com/contoso/api/'`
`--certificate-oidc-issuer https://token.actions.githubusercontent.com`.

Exceptions: with `--key` no identity is needed.
"""

import re
from collections.abc import Iterator

from bot.domain.repositories.finding import FindingSeverity, Fix, Place
from bot.domain.repositories.usage import Edit
from bot.files.audit.delivery.delivery import Verification
from bot.files.audit.delivery.gates import verifications_that_count
from bot.files.audit.delivery.pushing import operands_of
from bot.files.audit.repository import RepositoryTexts
from bot.files.audit.rule import Rule
from bot.files.audit.shell import ShellCommand, is_unknown
from bot.files.audit.splicing.commands import words_after
from bot.files.audit.splicing.keys import NotSpliceable
from bot.files.audit.suggestions.digests import digest_of_push
from bot.files.audit.verdict import Verdict, fails, holds, unknown

_ANYBODY = re.compile(r"^\^?(?:https?://)?\.?[*+]?\$?$")
_GITHUB = "https://token.actions.githubusercontent.com"
_FIX = "name the workflow with --certificate-identity, and GitHub's issuer"


def judge(repository: RepositoryTexts) -> Iterator[Verdict]:
    for verification in verifications_that_count(repository):
        step, command = verification.step, verification.command
        place, subject = repository.where(step), step.subject
        if command.has("--key", "--certificate"):
            yield _by_digest(repository, verification, place, holds(place, subject, "it verifies with a key"))
            continue
        identity = command.option("--certificate-identity")
        pattern = command.option("--certificate-identity-regexp")
        issuer = command.option("--certificate-oidc-issuer", "--certificate-oidc-issuer-regexp")
        missing = [
            option
            for option, value in (
                ("--certificate-identity", identity or pattern),
                ("--certificate-oidc-issuer", issuer),
            )
            if not value
        ]
        if missing:
            yield fails(
                place,
                subject,
                f"{' and '.join(missing)} is not given",
                _suggest_identity(repository, verification, missing),
            )
        elif pattern is not None and not identity and not _is_anchored(pattern):
            why = "any identity counts" if _ANYBODY.match(pattern) else "the pattern of identities is not anchored"
            yield fails(
                place, subject, f"{why}: {pattern[:80]}", "begin the pattern with ^ and the repository's address"
            )
        elif (pattern is not None and _ANYBODY.match(pattern)) or _ANYBODY.match(issuer or "x"):
            yield fails(place, subject, "any identity counts", _FIX)
        elif _goes_on(command):
            yield fails(place, subject, "the shell goes on when the signature does not hold", "let the step fail")
        elif pattern is not None and not identity and is_unknown(pattern[:3]):
            yield unknown(
                place, subject, "which identities count is known only in a run", "the pattern written out"
            )
        elif command.stops is None:
            yield unknown(
                place, subject, "what the script makes of a failure is decided by the shell", "a plain command"
            )
        else:
            yield _by_digest(
                repository, verification, place, holds(place, subject, "identity and issuer are named")
            )


def _by_digest(repository: RepositoryTexts, verification: Verification, place: Place, verdict: Verdict) -> Verdict:
    """The verdict where digests are verified: a tag may name another image by the time that it is pulled."""
    command, subject = verification.command, verification.step.subject
    if command.has("--local-image"):
        return verdict
    by_tag = _tags(command)
    if not by_tag:
        return verdict
    run = verification.step.mapping.scalar("run")
    takes_digest = run is not None and "docker-manifest-digest" in run.value
    written = [name for name in by_tag if not is_unknown(_IN_PARTS.sub("", name) or name)]
    if takes_digest or not written:
        why = "what it verifies is put together in a run, and may be a tag"
        return unknown(place, subject, why, "the digest written as …@sha256:…, or @ with the build step's output")
    why = f"it verifies a tag, {written[0][:120]}, which may be moved before the image is pulled"
    advice = "verify …@${{ steps.build.outputs.digest }}, and deploy that digest"
    try:
        edit = digest_of_push(repository, verification.step, written[0], "what it verifies")
    except NotSpliceable as error:
        return fails(place, subject, why, Fix(advice, left_alone=str(error)))
    return fails(place, subject, why, Fix(advice, suggested=(edit,) if edit is not None else ()))


def _tags(command: ShellCommand) -> list[str]:
    """What a command verifies by another name than a digest."""
    words = command.words
    begin = next((number for number, word in enumerate(words) if word.startswith("verify")), 0)
    return [name for name in operands_of(words[begin + 1 :]) if "@" not in name]


_IN_PARTS = re.compile(r":(?:\$\{\{[^}]*\}\}|\N{REPLACEMENT CHARACTER}|[\w.-])+$")
"""A tag behind a name, also one that a run fills in."""


def _suggest_identity(repository: RepositoryTexts, verification: Verification, missing: list[str]) -> Fix:
    """Suggests the repository's own workflows as those that sign."""
    added = {
        "--certificate-identity": r'--certificate-identity-regexp "^https://github\.com/${GITHUB_REPOSITORY}/"',
        "--certificate-oidc-issuer": f"--certificate-oidc-issuer {_GITHUB}",
    }
    command = " ".join(verification.command.words[:2])
    try:
        options = " ".join(added[each] for each in missing)
        edits: tuple[Edit, ...] = (words_after(repository, verification.step, command, options),)
        by_tag = _tags(verification.command)
        if len(by_tag) == 1:
            edit = digest_of_push(repository, verification.step, by_tag[0], "what it verifies")
            edits += (edit,) if edit is not None else ()
        return Fix(_FIX, suggested=edits)
    except NotSpliceable as error:
        return Fix(_FIX, left_alone=str(error))


def _is_anchored(pattern: str) -> bool:
    """Whether a pattern begins where the identity begins, as far as its first character is written out."""
    return pattern.startswith("^") or is_unknown(pattern[:3])


def _goes_on(command: ShellCommand) -> bool:
    return command.stops is False


RULE = Rule(
    "verified-identity",
    "Verification says whose signature counts",
    "Anybody can sign with an identity of their own.",
    FindingSeverity.HIGH,
    judge,
)
