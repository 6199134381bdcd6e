"""Workloads that a cluster keeps as they were made: a change to one is refused until somebody deletes it.

Sources: Kubernetes' API reference (Job `spec.template`, Pod updates), Helm's and Argo CD's pages on hooks,
Argo CD's sync options and Flux' `kustomize.toolkit.fluxcd.io/force`.
"""

from bot.files.audit.workloads.kubernetes import Pod
from bot.files.audit.workloads.objects import word
from bot.files.formats.source.nodes import Mapping

_KEPT = frozenset({"Job", "Pod"})
_HOOKS = ("helm.sh/hook", "argocd.argoproj.io/hook")
_DELETES = frozenset({"before-hook-creation", "beforehookcreation", "hook-succeeded", "hooksucceeded"})
"""The policies by which a hook that went well is gone when its next one comes."""
_REPLACED = frozenset({"force=true", "replace=true"})


def why_kept(pod: Pod) -> str:
    """Says why the next deployment would fail with another pod of the same name; empty where it would not."""
    metadata = pod.manifest.mapping("metadata")
    is_named_anew = metadata.get("name") is None and metadata.get("generateName") is not None
    if pod.kind not in _KEPT or is_named_anew or _is_made_anew(metadata.mapping("annotations")):
        return ""
    return f"a cluster that has the {pod.kind} refuses the change until it is deleted"


def _is_made_anew(annotations: Mapping) -> bool:
    if "enabled" in _words(annotations, "kustomize.toolkit.fluxcd.io/force"):
        return True
    if _words(annotations, "argocd.argoproj.io/sync-options") >= _REPLACED:
        return True
    return any(_is_deleted(annotations, hook) for hook in _HOOKS)


def _is_deleted(annotations: Mapping, hook: str) -> bool:
    """Whether it is a hook that is deleted in time, as one is without a policy."""
    policies = _words(annotations, f"{hook}-delete-policy")
    return bool(_words(annotations, hook)) and (not policies or bool(policies & _DELETES))


def _words(annotations: Mapping, name: str) -> frozenset[str]:
    words = (each.strip().lower() for each in (word(annotations.get(name)) or "").split(","))
    return frozenset(each for each in words if each)
