"""The overlay `running`: a cluster tells what runs in it, by the right to list pods and no other."""

from typing import Any

import kubernetes_validate
import pytest

from bot.cli.main import app
from bot.clients.kubernetes.access import SERVICE_ACCOUNT
from tests.integration.deploy.kustomize import DEPLOY, ROOT, Resource, built, pod_of

USER = 64198


@pytest.fixture(scope="module")
def resources() -> dict[str, Resource]:
    return built(DEPLOY / "overlays" / "running")


@pytest.fixture(scope="module")
def pod(resources: dict[str, Resource]) -> dict[str, Any]:
    return pod_of(resources["CronJob"])


@pytest.fixture(scope="module")
def container(pod: dict[str, Any]) -> dict[str, Any]:
    [found] = pod["containers"]
    return dict(found)


def test_it_holds_what_kubernetes_knows_and_nothing_else(resources: dict[str, Resource]) -> None:
    kinds = {"Namespace", "ServiceAccount", "ClusterRole", "ClusterRoleBinding", "CronJob", "NetworkPolicy"}
    assert resources.keys() == kinds
    for resource in resources.values():
        kubernetes_validate.validate(resource, kubernetes_validate.latest_version(), strict=True)


def test_it_may_list_pods_and_nothing_else(resources: dict[str, Resource], pod: dict[str, Any]) -> None:
    assert resources["ClusterRole"]["rules"] == [{"apiGroups": [""], "resources": ["pods"], "verbs": ["list"]}]
    [subject] = resources["ClusterRoleBinding"]["subjects"]
    account = resources["ServiceAccount"]["metadata"]
    assert (subject["name"], subject["namespace"]) == (account["name"], account["namespace"])
    assert pod["serviceAccountName"] == account["name"]
    assert resources["ClusterRoleBinding"]["roleRef"]["name"] == resources["ClusterRole"]["metadata"]["name"]


def test_it_takes_the_hardened_settings(pod: dict[str, Any], container: dict[str, Any]) -> None:
    context = pod["securityContext"]
    assert (context["runAsUser"], context["runAsGroup"], context["fsGroup"]) == (USER, USER, USER)
    assert container["securityContext"]["readOnlyRootFilesystem"] is True
    assert pod["automountServiceAccountToken"] is False
    assert container["resources"].keys() == {"requests", "limits"}


def test_a_token_for_an_hour_lies_where_the_command_looks(pod: dict[str, Any], container: dict[str, Any]) -> None:
    [volume] = [each for each in pod["volumes"] if "projected" in each]
    [mount] = [each for each in container["volumeMounts"] if each["name"] == volume["name"]]
    assert mount["mountPath"] == str(SERVICE_ACCOUNT)
    token, authority = volume["projected"]["sources"]
    assert token["serviceAccountToken"] == {"path": "token", "expirationSeconds": 3600}
    assert authority["configMap"]["items"] == [{"key": "ca.crt", "path": "ca.crt"}]


def test_no_mount_lies_in_one_that_may_only_be_read(container: dict[str, Any]) -> None:
    """Of an image whose /var/run is /run; a folder for it could not be made there."""
    paths = [each["mountPath"].replace("/var/run/", "/run/") for each in container["volumeMounts"]]
    assert [(a, b) for a in paths for b in paths if a != b and b.startswith(f"{a}/")] == []


def test_its_arguments_are_those_of_the_command(
    container: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    """The token is not there; what comes before that is understood."""
    with pytest.raises(Exception, match=r"cannot read its token") as error:
        app(container["args"], standalone_mode=False)
    assert "/etc/freshness/token" in str(error.value)
    [mount] = [each for each in container["volumeMounts"] if each["name"] == "token"]
    assert f"--token-file={mount['mountPath']}/token" in container["args"]


def test_one_runs_at_a_time_and_ends_before_the_next(resources: dict[str, Resource]) -> None:
    job = resources["CronJob"]["spec"]
    assert (job["schedule"], job["concurrencyPolicy"]) == ("*/5 * * * *", "Forbid")
    assert job["jobTemplate"]["spec"]["activeDeadlineSeconds"] < 300


def test_nobody_gets_in(resources: dict[str, Resource]) -> None:
    policy = resources["NetworkPolicy"]["spec"]
    labels = resources["CronJob"]["spec"]["jobTemplate"]["spec"]["template"]["metadata"]["labels"]
    assert labels.items() >= policy["podSelector"]["matchLabels"].items()
    assert set(policy["policyTypes"]) == {"Ingress", "Egress"}
    assert not policy.get("ingress")


def test_the_page_for_operators_names_it() -> None:
    assert "kubectl apply -k deploy/overlays/running" in (ROOT / "docs/operate/running.md").read_text()
