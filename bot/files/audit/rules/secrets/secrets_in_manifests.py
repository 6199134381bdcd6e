"""No secret is written out in a manifest.

What: no Secret (`data`, `stringData`) and no `secretGenerator` has literal values or takes a file from here;
no ConfigMap or `configMapGenerator` has a literal whose name or shape is that of a secret. What stands under such a
name in JSON or YAML that one holds, or takes as a file, is unknown, as are a password of a custom resource or of a
chart's values and a word under another key of a Secret.

Example that fails::

    kind: Secret
    stringData: {password: s3cr3t-of-the-shop}

Fix: have a store give it (External Secrets, the CSI secret store, Sealed Secrets, SOPS), and change what was
written.

Exceptions: what SOPS has encrypted, placeholders, names of users, addresses and certificates hold.
"""

from collections.abc import Iterator

from bot.domain.repositories.finding import FindingSeverity
from bot.files.audit.repository import RepositoryTexts
from bot.files.audit.rule import Rule
from bot.files.audit.secrets.custom_resources import custom_secrets
from bot.files.audit.secrets.manifests import ManifestData, is_written_out, manifest_data, may_be_secret
from bot.files.audit.secrets.names import as_a_placeholder
from bot.files.audit.secrets.structured import may_be_secrets
from bot.files.audit.verdict import Verdict, fails, holds, not_applicable, unknown
from bot.files.formats.source.nodes import Node

_SETTLES = "whether the value is a secret itself; then a Secret that a store gives must hold the file"
_SETTLES_WORD = "whether the value is a secret; a store must give it then"
_SETTLES_CUSTOM = (
    "whether the value is a secret itself; then a Secret that a store gives must be named in its place"
)
_FIX = "have a secret store give it (External Secrets, the CSI driver, SOPS), and change what was written out"


def judge(repository: RepositoryTexts) -> Iterator[Verdict]:
    for data in manifest_data(repository):
        if data.is_encrypted:
            yield holds(repository.place(data.node, data.path), data.subject, "SOPS has encrypted its values")
            continue
        if data.is_filled_in:
            why = "the chart makes it of values or files, which are not looked at"
            yield not_applicable(repository.place(data.node, data.path), data.subject, why)
            continue
        literals = [*data.entries, *data.variables, *(data.files if data.is_secret else ())]
        bad = [(key, value, node) for key, value, node in literals if is_written_out(data, key, value)]
        for key, value, node in bad:
            why = f"the value of {key[:80]} is written out{as_a_placeholder(key, value)}"
            if "\n" in value and not data.is_secret:
                why = f"a secret is written out in {key[:80]}"
            yield fails(repository.place(node, data.path), data.subject, why, _FIX)
        words = [(key, node) for key, value, node in literals if may_be_secret(data, key, value)]
        for key, node in words:
            why = f"{key[:80]} is given a word, which may be a secret"
            yield unknown(repository.place(node, data.path), data.subject, why, _SETTLES_WORD)
        doubtful = [] if data.is_secret else list(_doubtful(data, {key for key, _, _ in bad}))
        for key, names, holder in doubtful:
            why = f"{key[:80]} gives {', '.join(names[:3])[:120]} what may be a secret"
            yield unknown(repository.place(holder, data.path), data.subject, why, _SETTLES)
        if not (bad or words or doubtful):
            place = repository.place(data.node, data.path)
            yield holds(place, data.subject, "no secret is written out in it")
    for custom in custom_secrets(repository):
        why = f"{custom.key.value[:80]} is given what may be a secret"
        yield unknown(repository.place(custom.key, custom.path), custom.subject, why, _SETTLES_CUSTOM)


def _doubtful(data: ManifestData, known_keys: set[str]) -> Iterator[tuple[str, list[str], Node]]:
    """The texts that a ConfigMap holds or takes as files, with what may be secrets in them."""
    for key, text, node in (*data.entries, *data.files):
        names = may_be_secrets(text) if key not in known_keys else []
        if names:
            yield key, names, node


RULE = Rule(
    "secrets-in-manifests",
    "No secret is written out in a manifest",
    "Who can read the repository has the secret, and with its history for good.",
    FindingSeverity.CRITICAL,
    judge,
)
