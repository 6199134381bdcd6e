"""The manifests hold what docs/deploy.md promises of them, and fit the image and the settings."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from bot.clients.forges.github import GitHubAccess, TokenCredentials
from bot.service.running import GRACE
from bot.settings import BadSettings, check_secrets, load

DEPLOY = Path(__file__).parents[3] / "deploy"
USER = 64198


def manifest(name: str) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((DEPLOY / name).read_text())
    return found


@pytest.fixture(scope="module")
def deployment() -> dict[str, Any]:
    spec: dict[str, Any] = manifest("deployment.yaml")["spec"]
    return spec


@pytest.fixture(scope="module")
def pod(deployment: dict[str, Any]) -> dict[str, Any]:
    spec: dict[str, Any] = deployment["template"]["spec"]
    return spec


@pytest.fixture(scope="module")
def container(pod: dict[str, Any]) -> dict[str, Any]:
    [found] = pod["containers"]
    assert "initContainers" not in pod
    return dict(found)


class TestThePod:
    def test_is_alone_with_its_database(self, deployment: dict[str, Any]) -> None:
        assert deployment["replicas"] == 1
        assert deployment["strategy"] == {"type": "Recreate"}
        assert manifest("volume.yaml")["spec"]["accessModes"] == ["ReadWriteOnce"]

    def test_runs_as_nobody_special(self, pod: dict[str, Any], container: dict[str, Any]) -> None:
        context = pod["securityContext"]
        assert context["runAsNonRoot"] is True
        assert (context["runAsUser"], context["runAsGroup"], context["fsGroup"]) == (USER, USER, USER)
        assert context["seccompProfile"] == {"type": "RuntimeDefault"}
        assert container["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }

    def test_has_no_way_into_the_cluster(self, pod: dict[str, Any], container: dict[str, Any]) -> None:
        assert pod["automountServiceAccountToken"] is False
        assert not {"hostNetwork", "hostPID", "hostIPC", "serviceAccountName"} & pod.keys()
        assert not {"ports", "env", "envFrom", "command"} & container.keys()

    def test_may_finish_its_work_before_it_is_killed(self, pod: dict[str, Any]) -> None:
        last_request = GitHubAccess("https://github.example", TokenCredentials("")).timeout
        assert pod["terminationGracePeriodSeconds"] > GRACE.total_seconds() + last_request + 5

    def test_has_bounds(self, pod: dict[str, Any], container: dict[str, Any]) -> None:
        assert container["resources"]["requests"].keys() == {"cpu", "memory"}
        assert "memory" in container["resources"]["limits"]
        [tmp] = [volume for volume in pod["volumes"] if volume["name"] == "tmp"]
        assert tmp["emptyDir"]["sizeLimit"]

    def test_writes_to_its_data_and_to_tmp_only(self, pod: dict[str, Any], container: dict[str, Any]) -> None:
        mounts = {mount["name"]: mount for mount in container["volumeMounts"]}
        assert mounts.keys() == {volume["name"] for volume in pod["volumes"]}
        writable = {mount["mountPath"] for mount in mounts.values() if not mount.get("readOnly")}
        assert writable == {"/data", "/tmp"}

    def test_reads_secrets_from_files_that_others_cannot(self, pod: dict[str, Any]) -> None:
        [secrets] = [volume["secret"] for volume in pod["volumes"] if "secret" in volume]
        assert secrets["defaultMode"] == 0o440
        assert secrets["secretName"] == manifest("secret-example.yaml")["metadata"]["name"]


class TestTheSettings:
    def test_are_valid_and_lack_only_their_secrets(self) -> None:
        settings = load(DEPLOY / "freshness.yaml")
        assert settings.without_effect() == []
        with pytest.raises(BadSettings) as error:
            check_secrets(settings)
        assert {line.partition(":")[0] for line in error.value.lines} == {
            f"/run/secrets/{name}" for name in manifest("secret-example.yaml")["stringData"]
        }

    def test_keep_the_database_on_the_volume(self, container: dict[str, Any]) -> None:
        assert load(DEPLOY / "freshness.yaml").store.url.startswith("sqlite:////data/")
        assert "/data" in {mount["mountPath"] for mount in container["volumeMounts"]}

    def test_the_example_holds_no_real_secret(self) -> None:
        assert all(text.startswith("put ") for text in manifest("secret-example.yaml")["stringData"].values())


class TestTheNetwork:
    def test_lets_nothing_in(self) -> None:
        spec = manifest("network-policy.yaml")["spec"]
        assert set(spec["policyTypes"]) == {"Ingress", "Egress"}
        assert spec["ingress"] == []

    def test_lets_out_names_and_https(self) -> None:
        names, web = manifest("network-policy.yaml")["spec"]["egress"]
        assert {port["port"] for port in names["ports"]} == {53}
        assert web["ports"] == [{"protocol": "TCP", "port": 443}]
        assert all(block["ipBlock"]["except"] for block in web["to"])

    def test_is_about_this_pod(self, deployment: dict[str, Any]) -> None:
        assert manifest("network-policy.yaml")["spec"]["podSelector"] == deployment["selector"]
        assert deployment["template"]["metadata"]["labels"] == deployment["selector"]["matchLabels"]


class TestTheKustomization:
    def test_names_what_is_there_and_not_the_example_of_a_secret(self) -> None:
        files = {path.name for path in DEPLOY.iterdir()}
        named = set(manifest("kustomization.yaml")["resources"])
        assert files - named == {"kustomization.yaml", "freshness.yaml", "secret-example.yaml"}
        assert named <= files

    def test_gives_the_settings_and_the_image_that_the_pod_asks_for(
        self, pod: dict[str, Any], container: dict[str, Any]
    ) -> None:
        kustomization = manifest("kustomization.yaml")
        [settings] = kustomization["configMapGenerator"]
        assert settings == {"name": "freshness-bot", "files": ["freshness.yaml"]}
        assert [volume["configMap"]["name"] for volume in pod["volumes"] if "configMap" in volume] == [
            "freshness-bot"
        ]
        assert [image["name"] for image in kustomization["images"]] == [container["image"]]

    def test_puts_everything_into_a_restricted_namespace(self) -> None:
        namespace = manifest("namespace.yaml")["metadata"]
        assert namespace["name"] == manifest("kustomization.yaml")["namespace"]
        assert namespace["labels"]["pod-security.kubernetes.io/enforce"] == "restricted"
