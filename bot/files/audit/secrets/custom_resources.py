"""Passwords that custom resources and the values of charts hold as literals: those of operators, releases of Flux,
applications of Argo CD.

What such a resource means by a key only its operator says: these may be secrets, and are no fact. Names of Secrets
stand under `secret`, `token` and `key`, which are passed over.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from bot.files.audit.repository import RepositoryTexts
from bot.files.audit.secrets.names import holds_secret, takes_a_password
from bot.files.audit.workloads import helm
from bot.files.audit.workloads.kubernetes import way_to_spec
from bot.files.audit.workloads.objects import objects, word
from bot.files.formats.kubernetes.manifests import KIND as MANIFEST
from bot.files.formats.source.nodes import Mapping, Node, Scalar, mappings_under

_PASSWORD = re.compile(r"(?:passw(?:or)?d|passphrase|secret[-_]token|api[-_]?key)$", re.IGNORECASE)
_OF_KUBERNETES = re.compile(r"v\d\w*|[\w.-]+\.k8s\.io/\w+|(?:apps|batch|autoscaling|policy|extensions)/\w+")
_NAMES_SECRETS = re.compile(r"(?:^|\.)(?:external-secrets\.io|bitnami\.com|secrets-store\.csi\.x-k8s\.io)/")
_REFERS = re.compile(r"secret|ref\+|^vault:|[${\s]", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class CustomSecret:
    """A key of a custom resource, or of a chart's values, that may hold a secret, in the file at `path`."""

    path: str
    subject: str
    key: Scalar


def custom_secrets(repository: RepositoryTexts) -> Iterator[CustomSecret]:
    """Yields what custom resources and values of charts give to keys that are called as passwords are."""
    folders = tuple(f"{each.folder}/" if each.folder else "" for each in helm.charts(repository))
    for path in repository.paths:
        if not path.endswith((".yaml", ".yml")) or (folders and path.startswith(folders)):
            continue
        is_asked = repository.kind(path) == MANIFEST and repository.scope.is_judged(path)
        if not is_asked or _MENTIONS.search(repository.text(path)) is None:
            continue
        for manifest in objects(repository.documents(path)):
            if _is_custom(manifest):
                subject = f"{word(manifest.get('kind'))}/{word(manifest.mapping('metadata').get('name')) or '?'}"
                yield from _in_mapping(path, subject, manifest.get("spec"))
    for chart in helm.charts(repository):
        values = repository.first(chart.folder, "values.yaml", "values.yml")
        if values is not None:
            yield from _in_mapping(values, f"values of chart {chart.name}", repository.root(values))


def _is_custom(manifest: Mapping) -> bool:
    version = word(manifest.get("apiVersion")) or ""
    is_other = _OF_KUBERNETES.fullmatch(version) or _NAMES_SECRETS.search(version) or manifest.get("sops")
    return "/" in version and not is_other and way_to_spec(manifest) is None


def _in_mapping(path: str, subject: str, root: Node | None) -> Iterator[CustomSecret]:
    for _, mapping in mappings_under(root):
        for key, value in mapping.entries():
            text = word(value) or ""
            if text and _PASSWORD.search(key.value) and _is_literal(text):
                yield CustomSecret(path, subject, key)


def _is_literal(text: str) -> bool:
    return _REFERS.search(text) is None and holds_secret("password", text) and not takes_a_password(text)


_MENTIONS = re.compile(r"passw|passphrase|secret[-_]token|api[-_]?key", re.IGNORECASE)
