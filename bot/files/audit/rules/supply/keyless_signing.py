"""Signatures are made with the workflow's own identity, not with a key that is kept.

What: `cosign sign` without `--key`, in a job whose token has `id-token: write`.

Example that fails::

    run: cosign sign --key env://COSIGN_PRIVATE_KEY contoso/api@sha256:…

Fix: leave `--key` out, and give the job `permissions: {id-token: write}`.

Exceptions: keys that never leave a key service (`awskms://`, `azurekms://`, `gcpkms://`, `hashivault://`, Notation
with a plugin for one) are asked nothing; Notation with neither plugin nor key in a file is unknown.
"""

from collections.abc import Iterator

from bot.domain.repositories.finding import FindingSeverity, Fix
from bot.files.audit.delivery.deliveries import LOCAL_KEY
from bot.files.audit.delivery.delivery import Signing
from bot.files.audit.delivery.gates import signings_of_images
from bot.files.audit.repository import RepositoryTexts
from bot.files.audit.rule import Rule
from bot.files.audit.splicing.commands import words_replaced
from bot.files.audit.splicing.keys import NotSpliceable
from bot.files.audit.suggestions.rights import check_own_workflow, rights, rights_alone
from bot.files.audit.verdict import Verdict, fails, holds, not_applicable, unknown

_SERVICES = ("awskms://", "azurekms://", "gcpkms://", "hashivault://", "kms", "pkcs11:")


def judge(repository: RepositoryTexts) -> Iterator[Verdict]:
    for signing in signings_of_images(repository):
        step = signing.step
        place, subject = repository.where(step), step.subject
        if signing.key is not None and signing.key.startswith(_SERVICES):
            yield not_applicable(place, subject, "it signs with a key of a key service")
        elif signing.key is not None and ("${{" in signing.key or "\N{REPLACEMENT CHARACTER}" in signing.key):
            yield unknown(place, subject, "which key it signs with is known only in a run", "the key written out")
        elif signing.key is not None:
            yield fails(place, subject, "it signs with a key that is kept", _without_key(repository, signing))
        elif signing.has_token:
            yield holds(place, subject, "it signs with the identity of a token that it is given")
        elif step.job.may_write("id-token") is False:
            yield fails(
                place,
                subject,
                "the job has no identity: id-token: write is missing",
                rights_alone(repository, signing.pipeline, step, "give the job permissions: id-token: write"),
            )
        else:
            yield holds(place, subject, "it signs with the workflow's identity")


def _without_key(repository: RepositoryTexts, signing: Signing) -> Fix:
    if signing.key == LOCAL_KEY:
        return Fix("keep the key in a key service, by a plugin of Notation, or sign with cosign, keyless")
    advice = "leave --key out, with id-token: write"
    try:
        check_own_workflow(signing.pipeline, signing.step)
        key = r"[ \t]+--?key(?:=|[ \t]+)(?:\"[^\"\n]*\"|'[^'\n]*'|[^\s\"']+)"
        edits = (
            words_replaced(repository, signing.step, key, "", "`--key`"),
            *rights(repository, signing.pipeline, signing.step, {"id-token": "write"}),
        )
    except NotSpliceable as error:
        return Fix(advice, left_alone=str(error))
    return Fix(advice, suggested=edits)


RULE = Rule(
    "keyless-signing",
    "Signatures are made with the workflow's identity",
    "A key that is kept is a key that leaks.",
    FindingSeverity.MEDIUM,
    judge,
)
