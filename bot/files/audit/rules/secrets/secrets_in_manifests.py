"""No secret is written out in a manifest.

What: no Secret (`data`, `stringData`) and no `secretGenerator` has literal values; no ConfigMap or
`configMapGenerator` has a literal whose name or shape is that of a secret.

Example that fails::

    kind: Secret
    stringData: {password: s3cr3t-of-the-shop}

Fix: have a store give it (External Secrets, the CSI secret store, Sealed Secrets, SOPS), and change what was
written.

Exceptions: what SOPS has encrypted, placeholders, names of users, addresses and certificates hold. Values of
charts are not asked, what their templates write out is. Values are never shown.
"""

from collections.abc import Iterator

from bot.domain.repositories.finding import FindingSeverity
from bot.files.audit.repository import RepositoryTexts
from bot.files.audit.rule import Rule
from bot.files.audit.secrets.manifests import is_written_out, manifest_data
from bot.files.audit.verdict import Verdict, fails, holds, not_applicable

_FIX = "have a secret store give it (External Secrets, the CSI driver, SOPS), and change what was written out"


def judge(repository: RepositoryTexts) -> Iterator[Verdict]:
    for data in manifest_data(repository):
        if data.is_encrypted:
            yield holds(repository.place(data.node, data.path), data.subject, "SOPS has encrypted its values")
            continue
        if data.is_filled_in:
            why = "the chart makes it of its values, which are not looked at"
            yield not_applicable(repository.place(data.node, data.path), data.subject, why)
            continue
        bad = [(key, node) for key, value, node in data.entries if is_written_out(data, key, value)]
        for key, node in bad:
            why = f"the value of {key[:80]} is written out"
            yield fails(repository.place(node, data.path), data.subject, why, _FIX)
        if not bad:
            place = repository.place(data.node, data.path)
            yield holds(place, data.subject, "no secret is written out in it")


RULE = Rule(
    "secrets-in-manifests",
    "No secret is written out in a manifest",
    "Who can read the repository has the secret, and with its history for good.",
    FindingSeverity.CRITICAL,
    judge,
)
