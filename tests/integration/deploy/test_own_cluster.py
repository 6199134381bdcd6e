"""The component `own-cluster`: the bot lists pods of the cluster that it runs in, by that right and no other."""

import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml

from bot.clients.kubernetes.access import SERVICE_ACCOUNT
from tests.integration.deploy.kustomize import DEPLOY, ROOT, Resource, pod_of


@pytest.fixture(scope="module", params=["single", "replicated"])
def resources(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> list[Resource]:
    """An overlay with the component."""
    if shutil.which("kubectl") is None:
        pytest.skip("kubectl is not installed: apt-get install kubernetes-client")
    folder = tmp_path_factory.mktemp("own-cluster").resolve()
    deploy = os.path.relpath(DEPLOY, folder)
    kustomization = {
        "namespace": "freshness-bot",
        "resources": [f"{deploy}/overlays/{request.param}"],
        "components": [f"{deploy}/components/own-cluster"],
    }
    (folder / "kustomization.yaml").write_text(yaml.safe_dump(kustomization))
    ended = subprocess.run(["kubectl", "kustomize", str(folder)], capture_output=True, text=True, check=True)
    return list(yaml.safe_load_all(ended.stdout))


def of(resources: list[Resource], kind: str, name: str) -> Resource:
    [found] = [each for each in resources if (each["kind"], each["metadata"]["name"]) == (kind, name)]
    return found


def pod(resources: list[Resource]) -> dict[str, Any]:
    return pod_of(of(resources, "Deployment", "freshness-bot"))


def test_it_holds_what_kubernetes_knows(resources: list[Resource]) -> None:
    for resource in resources:
        kubernetes_validate.validate(resource, kubernetes_validate.latest_version(), strict=True)


def test_the_bot_may_list_pods_and_nothing_else(resources: list[Resource]) -> None:
    role = of(resources, "ClusterRole", "freshness-bot-own-cluster")
    binding = of(resources, "ClusterRoleBinding", "freshness-bot-own-cluster")
    account = of(resources, "ServiceAccount", "freshness-bot")["metadata"]
    assert role["rules"] == [{"apiGroups": [""], "resources": ["pods"], "verbs": ["list"]}]
    assert binding["roleRef"]["name"] == role["metadata"]["name"]
    assert [(each["name"], each["namespace"]) for each in binding["subjects"]] == [
        (account["name"], account["namespace"])
    ]
    assert pod(resources)["serviceAccountName"] == account["name"]
    assert pod(resources)["automountServiceAccountToken"] is False


def test_the_token_lies_beside_the_secrets_where_the_bot_looks(resources: list[Resource]) -> None:
    [volume] = [each for each in pod(resources)["volumes"] if each["name"] == "secrets"]
    assert "secret" not in volume
    secret, token, authority = volume["projected"]["sources"]
    assert secret == {"secret": {"name": "freshness-bot"}}
    [container] = pod(resources)["containers"]
    [mount] = [each for each in container["volumeMounts"] if each["name"] == "secrets"]
    mounted = Path(mount["mountPath"])
    paths = [token["serviceAccountToken"]["path"], authority["configMap"]["items"][0]["path"]]
    expected = [Path(str(SERVICE_ACCOUNT / name).replace("/var/run/", "/run/")) for name in ("token", "ca.crt")]
    assert [mounted / path for path in paths] == expected


def test_the_api_server_is_let_through(resources: list[Resource]) -> None:
    policy = of(resources, "NetworkPolicy", "freshness-bot-own-cluster")["spec"]
    labels = of(resources, "Deployment", "freshness-bot")["spec"]["template"]["metadata"]["labels"]
    assert labels.items() >= policy["podSelector"]["matchLabels"].items()
    assert policy["policyTypes"] == ["Egress"]
    assert [port["port"] for rule in policy["egress"] for port in rule["ports"]] == [6443]


def test_the_page_for_operators_names_it() -> None:
    assert "deploy/components/own-cluster" in (ROOT / "docs/operate/running.md").read_text()
