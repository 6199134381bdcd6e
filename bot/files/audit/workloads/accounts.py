"""ServiceAccounts of a repository: which are given rights, and which mount no token."""

from collections.abc import Iterator

from bot.files.audit.repository import RepositoryTexts
from bot.files.audit.workloads import helm
from bot.files.audit.workloads.objects import objects, word
from bot.files.formats.source.nodes import Mapping


def accounts_with_rights(repository: RepositoryTexts) -> frozenset[str]:
    """The names of accounts that a RoleBinding or ClusterRoleBinding names."""
    return repository.kept(_with_rights)


def accounts_without_token(repository: RepositoryTexts) -> frozenset[str]:
    """The names of accounts whose pods get no token unless they ask for one."""
    return repository.kept(_without_token)


def _with_rights(repository: RepositoryTexts) -> frozenset[str]:
    return frozenset(
        word(subject.get("name")) or ""
        for manifest in repository.kept(_access_objects)
        if (word(manifest.get("kind")) or "").endswith("RoleBinding")
        for subject in manifest.sequence("subjects")
        if isinstance(subject, Mapping) and word(subject.get("kind")) == "ServiceAccount"
    )


def _without_token(repository: RepositoryTexts) -> frozenset[str]:
    return frozenset(
        word(manifest.mapping("metadata").get("name")) or ""
        for manifest in repository.kept(_access_objects)
        if word(manifest.get("kind")) == "ServiceAccount"
        and word(manifest.get("automountServiceAccountToken")) == "false"
    )


def _access_objects(repository: RepositoryTexts) -> list[Mapping]:
    return list(_read(repository))


def _read(repository: RepositoryTexts) -> Iterator[Mapping]:
    for path in repository.paths:
        if not path.endswith((".yaml", ".yml")):
            continue
        text = repository.text(path)
        if "RoleBinding" in text or "ServiceAccount" in text:
            yield from objects(repository.documents(path))
    for chart in helm.charts(repository):
        yield from (manifest for _, manifest in chart.objects)
