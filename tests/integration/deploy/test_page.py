"""The overlay `page`: whoever comes by the ingress controller reaches the page over TLS, and nothing else."""

from typing import Any

import kubernetes_validate
import pytest

from tests.integration.deploy.kustomize import DEPLOY, ROOT, Resource, built, pod_of


@pytest.fixture(scope="module")
def resources() -> dict[str, Resource]:
    return built(DEPLOY / "overlays" / "page")


@pytest.fixture(scope="module")
def workload() -> Resource:
    return built(DEPLOY / "overlays" / "single")["Deployment"]


@pytest.fixture(scope="module")
def labels(workload: Resource) -> dict[str, str]:
    return dict(workload["spec"]["template"]["metadata"]["labels"])


@pytest.fixture(scope="module")
def rule(resources: dict[str, Resource]) -> dict[str, Any]:
    [rule] = resources["Ingress"]["spec"]["rules"]
    return dict(rule)


def test_it_holds_what_kubernetes_knows_and_nothing_else(resources: dict[str, Resource]) -> None:
    assert resources.keys() == {"Service", "Ingress", "NetworkPolicy"}
    for resource in resources.values():
        kubernetes_validate.validate(resource, kubernetes_validate.latest_version(), strict=True)


def test_it_stands_where_the_bot_does(resources: dict[str, Resource], workload: Resource) -> None:
    namespaces = {resource["metadata"]["namespace"] for resource in resources.values()}
    assert namespaces == {workload["metadata"]["namespace"]}


def test_the_ingress_leads_to_the_service(resources: dict[str, Resource], rule: dict[str, Any]) -> None:
    [path] = rule["http"]["paths"]
    service = resources["Service"]
    assert path["path"] == "/"
    assert path["backend"]["service"]["name"] == service["metadata"]["name"]
    assert path["backend"]["service"]["port"]["name"] in [port["name"] for port in service["spec"]["ports"]]


def test_the_service_leads_to_the_page_of_the_pods(
    resources: dict[str, Resource], workload: Resource, labels: dict[str, str]
) -> None:
    [container] = pod_of(workload)["containers"]
    service = resources["Service"]["spec"]
    assert labels.items() >= service["selector"].items()
    [port] = service["ports"]
    assert port["targetPort"] == "web"
    assert port["targetPort"] in [each["name"] for each in container["ports"]]


def test_the_host_is_served_over_tls(resources: dict[str, Resource], rule: dict[str, Any]) -> None:
    [tls] = resources["Ingress"]["spec"]["tls"]
    assert tls["hosts"] == [rule["host"]]
    assert tls["secretName"]


def test_the_controller_gets_in_to_the_page_alone(resources: dict[str, Resource], labels: dict[str, str]) -> None:
    policy = resources["NetworkPolicy"]["spec"]
    assert labels.items() >= policy["podSelector"]["matchLabels"].items()
    assert policy["policyTypes"] == ["Ingress"]
    [let_in] = policy["ingress"]
    assert all("namespaceSelector" in sender for sender in let_in["from"])
    assert [port["port"] for port in let_in["ports"]] == ["web"]


def test_it_stands_beside_the_overlay_of_prometheus(resources: dict[str, Resource]) -> None:
    """Both are applied to one namespace: no name of one is a name of the other."""
    theirs = {(kind, each["metadata"]["name"]) for kind, each in built(DEPLOY / "overlays" / "monitoring").items()}
    ours = {(kind, each["metadata"]["name"]) for kind, each in resources.items()}
    assert not ours & theirs


def test_the_page_for_operators_names_what_is_to_be_changed(resources: dict[str, Resource]) -> None:
    page = (ROOT / "docs/operate/cluster.md").read_text()
    assert "kubectl apply -k deploy/overlays/page" in page
    assert f"https://{resources['Ingress']['spec']['rules'][0]['host']}" in page
    assert resources["Ingress"]["spec"]["tls"][0]["secretName"] in page
