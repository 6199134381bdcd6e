"""Claims of pods that a folder of a node stands behind: PersistentVolumes with `hostPath` that a repository writes.

Source: Kubernetes' page on persistent volumes. A claim is bound by the volume that it names or the volume's
`claimRef`; else by its storage class, where a cluster may choose another volume of that class.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from bot.files.audit.repository import RepositoryTexts
from bot.files.audit.workloads import helm
from bot.files.audit.workloads.kubernetes import Pod
from bot.files.audit.workloads.objects import objects, word
from bot.files.formats.source.nodes import Mapping, Node

_KINDS = frozenset({"PersistentVolume", "PersistentVolumeClaim"})


@dataclass(frozen=True, slots=True)
class FolderOfClaim:
    """A node's folder behind a claim; `is_sure` unless the cluster may bind the claim to another volume."""

    node: Node
    claim: str
    volume: str
    path: str
    is_sure: bool


def folders_of_claims(repository: RepositoryTexts, pod: Pod) -> Iterator[FolderOfClaim]:
    """Yields the folders of its node that a pod mounts, or may mount, by way of claims."""
    volumes = [each for each in repository.kept(_storage) if each.mapping("spec").get("hostPath") is not None]
    for node, claim, spec in _claims(repository, pod) if volumes else ():
        for volume in volumes:
            is_bound = _is_bound(volume, claim, spec)
            if is_bound is not False:
                path = word(volume.mapping("spec").mapping("hostPath").get("path")) or "a folder"
                yield FolderOfClaim(node, claim, _name(volume), path, is_bound is True)
                break


def _claims(repository: RepositoryTexts, pod: Pod) -> Iterator[tuple[Node, str, Mapping]]:
    """The claims of a pod: where each is named, its name, and what it asks for."""
    specs = {
        _name(each): each.mapping("spec")
        for each in repository.kept(_storage)
        if word(each.get("kind")) == "PersistentVolumeClaim"
    }
    for volume in pod.spec.sequence("volumes"):
        claim = (
            word(volume.mapping("persistentVolumeClaim").get("claimName")) if isinstance(volume, Mapping) else ""
        )
        if claim:
            yield volume, claim, specs.get(claim, Mapping(0))
    for template in pod.manifest.mapping("spec").sequence("volumeClaimTemplates"):
        if isinstance(template, Mapping):
            yield template, f"{_name(template)}-{pod.name}-0", template.mapping("spec")


def _is_bound(volume: Mapping, claim: str, spec: Mapping) -> bool | None:
    """Whether a claim is bound to a volume; None where the cluster chooses among those of a class."""
    wanted, kept_for = word(spec.get("volumeName")), word(volume.mapping("spec").mapping("claimRef").get("name"))
    if wanted or kept_for:
        return (wanted or _name(volume)) == _name(volume) and (kept_for or claim) == claim
    storage_class = word(spec.get("storageClassName"))
    is_of_class = storage_class is not None and storage_class == (_class(volume) or "")
    return None if is_of_class else False


def _class(volume: Mapping) -> str | None:
    return word(volume.mapping("spec").get("storageClassName"))


def _name(manifest: Mapping) -> str:
    return word(manifest.mapping("metadata").get("name")) or ""


def _storage(repository: RepositoryTexts) -> list[Mapping]:
    """The volumes and claims of a repository's manifests and charts."""
    written = (
        manifest
        for path in repository.paths
        if path.endswith((".yaml", ".yml")) and "PersistentVolume" in repository.text(path)
        for manifest in objects(repository.documents(path))
    )
    made = (manifest for chart in helm.charts(repository) for _, manifest in chart.objects)
    return [each for source in (written, made) for each in source if word(each.get("kind")) in _KINDS]
