"""The component on workloads of others: two containers, an init container, and what they had set before."""

from pathlib import Path

import kubernetes_validate
import pytest

from tests.integration.deploy.kustomize import DEPLOY, KINDS, Service, further_containers, pod_of, workload

HARDENED = {
    "allowPrivilegeEscalation": False,
    "readOnlyRootFilesystem": True,
    "capabilities": {"drop": ["ALL"]},
}


@pytest.fixture
def service(tmp_path: Path) -> Service:
    return Service(tmp_path)


@pytest.mark.parametrize("kind", KINDS)
def test_pod_and_first_container_are_hardened_and_nothing_else_is_touched(service: Service, kind: str) -> None:
    resources = service.built(workload(kind))
    assert resources.keys() == {kind}
    kubernetes_validate.validate(resources[kind], kubernetes_validate.latest_version(), strict=True)
    pod = pod_of(resources[kind])
    assert pod["automountServiceAccountToken"] is False
    assert pod["securityContext"] == {
        "runAsNonRoot": True,
        "runAsUser": 1654,
        "runAsGroup": 1654,
        "fsGroup": 1654,
        "fsGroupChangePolicy": "OnRootMismatch",
        "seccompProfile": {"type": "RuntimeDefault"},
    }
    first, second = pod["containers"]
    assert first["securityContext"] == HARDENED
    assert first["volumeMounts"] == [{"name": "hardened-tmp", "mountPath": "/tmp"}]
    assert pod["volumes"] == [{"name": "hardened-tmp", "emptyDir": {"sizeLimit": "1Gi"}}]
    before = pod_of(workload(kind))
    assert [second, *pod["initContainers"]] == [before["containers"][1], *before["initContainers"]]


def test_what_was_weaker_is_replaced_and_what_is_mounted_stays(service: Service) -> None:
    resource = workload(
        "Deployment",
        automountServiceAccountToken=True,
        securityContext={
            "runAsUser": 0,
            "seccompProfile": {"type": "Localhost", "localhostProfile": "profiles/own.json"},
        },
        volumes=[{"name": "cache", "emptyDir": {}}, {"name": "tmp", "emptyDir": {"medium": "Memory"}}],
    )
    pod_of(resource)["containers"][0] |= {
        "securityContext": {"privileged": True, "runAsUser": 0, "capabilities": {"add": ["SYS_ADMIN"]}},
        "volumeMounts": [{"name": "cache", "mountPath": "/cache"}, {"name": "tmp", "mountPath": "/tmp"}],
    }
    pod = pod_of(service.built(resource)["Deployment"])
    assert pod["automountServiceAccountToken"] is False
    assert pod["securityContext"]["runAsUser"] == 1654
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert pod["containers"][0]["securityContext"] == HARDENED
    assert pod["containers"][0]["volumeMounts"] == [
        {"name": "cache", "mountPath": "/cache"},
        {"name": "hardened-tmp", "mountPath": "/tmp"},
    ]
    assert {volume["name"] for volume in pod["volumes"]} == {"cache", "tmp", "hardened-tmp"}


@pytest.mark.parametrize("kind", KINDS)
def test_another_user_is_one_value(service: Service, kind: str) -> None:
    user = (DEPLOY / "components/hardened/user.yaml").read_text().replace("1654", "5678")
    (service.folder / "user.yaml").write_text(user)
    resources = service.built(workload(kind), "hardened-as", resources=["shop.yaml", "user.yaml"])
    assert resources.keys() == {kind}, "what names the user is not applied"
    context = pod_of(resources[kind])["securityContext"]
    assert (context["runAsUser"], context["runAsGroup"], context["fsGroup"]) == (5678, 5678, 5678)


def test_the_patch_of_the_page_hardens_the_further_containers(service: Service) -> None:
    (service.folder / "further.yaml").write_text(further_containers())
    resources = service.built(workload("Deployment"), patches=[{"path": "further.yaml"}])
    pod = pod_of(resources["Deployment"])
    kubernetes_validate.validate(resources["Deployment"], kubernetes_validate.latest_version(), strict=True)
    containers = [*pod["containers"], *pod["initContainers"]]
    assert [container["securityContext"] for container in containers] == [HARDENED] * 3
    assert all(container["volumeMounts"][0]["mountPath"] == "/tmp" for container in containers)
    assert [container["name"] for container in pod["containers"]] == ["shop", "proxy"]
