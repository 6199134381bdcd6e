"""Sidecars that a cluster puts beside a program by an annotation of its pod, and that read the pod's token.

Sources: Dapr's annotations and its built-in secret store of Kubernetes, the annotations of Vault's agent injector,
Bank-Vaults' webhook, Kuma's and Consul's injectors. Those of Istio and Linkerd bring a token of their own.
"""

from dataclasses import dataclass

from bot.files.audit.workloads.kubernetes import Pod, way_to_spec
from bot.files.audit.workloads.objects import word
from bot.files.formats.source.nodes import Mapping


@dataclass(frozen=True, slots=True)
class Sidecar:
    """`without` is the annotation by which it does without the pod's token, `settled_by` what to find out."""

    name: str
    annotation: str
    on: frozenset[str]
    without: str
    settled_by: str


_ON = frozenset({"true", "enabled", "yes", "y", "1", "on", "t"})
_NO_MOUNT = "automountServiceAccountToken: false"
_BY_VOLUME = f"a projected volume that {{}} names, with {_NO_MOUNT}"
_DAPR, _VAULT, _KUMA = (
    "dapr.io/disable-builtin-k8s-secret-store",
    "vault.hashicorp.com/agent-service-account-token-volume-name",
    "kuma.io/service-account-token-volume",
)
_SIDECARS = (
    Sidecar(
        "Dapr",
        "dapr.io/enabled",
        _ON,
        _DAPR,
        f'whether a component takes a Secret of Kubernetes; else {_DAPR}: "true" with {_NO_MOUNT}',
    ),
    Sidecar("Vault's agent", "vault.hashicorp.com/agent-inject", _ON, _VAULT, _BY_VOLUME.format(_VAULT)),
    Sidecar("Bank-Vaults", "vault.security.banzaicloud.io/vault-addr", frozenset(), "", "how it logs in to Vault"),
    Sidecar("Kuma", "kuma.io/sidecar-injection", _ON, _KUMA, _BY_VOLUME.format(_KUMA)),
    Sidecar("Consul", "consul.hashicorp.com/connect-inject", _ON, "", "whether Consul asks for it (ACLs)"),
)


def sidecar_with_token(pod: Pod) -> Sidecar | None:
    """The sidecar that an annotation of the pod asks for, and that reads the pod's token; None where none does."""
    metadata = _metadata(pod)
    annotations = {
        key.value: (word(value) or "").lower()
        for group in ("annotations", "labels")
        for key, value in metadata.mapping(group).entries()
    }
    for each in _SIDECARS:
        value = annotations.get(each.annotation)
        is_there = value is not None and (value in each.on or (not each.on and value != ""))
        if is_there and annotations.get(each.without, "false") == "false":
            return each
    return None


def _metadata(pod: Pod) -> Mapping:
    """What is told of the pods that an object makes, which is not what is told of the object."""
    holder = pod.manifest
    for key in (way_to_spec(pod.manifest) or ("spec",))[:-1]:
        holder = holder.mapping(key)
    return holder.mapping("metadata")
