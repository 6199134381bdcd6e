"""What the overlays put into a cluster: it fits the image and the settings, and has no right that it needs not."""

import tomllib
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml

from bot.clients.forges.github import GitHubAccess, TokenCredentials
from bot.service.running import GRACE
from bot.settings import BadSettings, check_secrets, load
from tests.integration.deploy.kustomize import DEPLOY, ROOT, Resource, built, pod_of

OVERLAYS = ("single", "replicated")
USER = 64198


@pytest.fixture(scope="module", params=OVERLAYS)
def overlay(request: pytest.FixtureRequest) -> Path:
    return DEPLOY / "overlays" / str(request.param)


@pytest.fixture(scope="module")
def resources(overlay: Path) -> dict[str, Resource]:
    return built(overlay)


@pytest.fixture(scope="module")
def pod(resources: dict[str, Resource]) -> dict[str, Any]:
    return pod_of(resources["Deployment"])


@pytest.fixture(scope="module")
def container(pod: dict[str, Any]) -> dict[str, Any]:
    [found] = pod["containers"]
    assert "initContainers" not in pod
    return dict(found)


class TestEveryOverlay:
    def test_holds_what_kubernetes_knows_and_nothing_else(self, resources: dict[str, Resource]) -> None:
        for resource in resources.values():
            kubernetes_validate.validate(resource, kubernetes_validate.latest_version(), strict=True)

    def test_stays_in_a_restricted_namespace(self, resources: dict[str, Resource]) -> None:
        namespace = resources["Namespace"]["metadata"]
        assert namespace["labels"]["pod-security.kubernetes.io/enforce"] == "restricted"
        others = [resource for kind, resource in resources.items() if kind != "Namespace"]
        assert {other["metadata"]["namespace"] for other in others} == {namespace["name"]}

    def test_takes_the_hardened_settings_with_the_users_own_number(
        self, pod: dict[str, Any], container: dict[str, Any]
    ) -> None:
        context = pod["securityContext"]
        assert (context["runAsUser"], context["runAsGroup"], context["fsGroup"]) == (USER, USER, USER)
        assert container["securityContext"]["readOnlyRootFilesystem"] is True

    def test_has_no_way_into_the_cluster(self, pod: dict[str, Any], container: dict[str, Any]) -> None:
        assert pod["automountServiceAccountToken"] is False
        assert not {"hostNetwork", "hostPID", "hostIPC", "serviceAccountName"} & pod.keys()
        assert not {"env", "envFrom", "command"} & container.keys()

    def test_may_finish_its_work_before_it_is_killed(self, pod: dict[str, Any]) -> None:
        last_request = GitHubAccess("https://github.example", TokenCredentials("")).timeout
        assert pod["terminationGracePeriodSeconds"] > GRACE.total_seconds() + last_request + 5

    def test_has_bounds(self, pod: dict[str, Any], container: dict[str, Any]) -> None:
        assert container["resources"]["requests"].keys() == {"cpu", "memory"}
        assert "memory" in container["resources"]["limits"]
        assert all(volume["emptyDir"]["sizeLimit"] for volume in pod["volumes"] if "emptyDir" in volume)

    def test_mounts_every_volume_and_writes_to_data_and_tmp_only(
        self, pod: dict[str, Any], container: dict[str, Any]
    ) -> None:
        mounts = {mount["name"]: mount for mount in container["volumeMounts"]}
        assert mounts.keys() == {volume["name"] for volume in pod["volumes"]}
        assert {mount["mountPath"] for mount in mounts.values() if not mount.get("readOnly")} <= {"/data", "/tmp"}

    def test_reads_secrets_from_files_that_others_cannot(self, pod: dict[str, Any]) -> None:
        [secrets] = [volume["secret"] for volume in pod["volumes"] if "secret" in volume]
        assert secrets == {"secretName": example()["metadata"]["name"], "defaultMode": 0o440}

    def test_is_asked_where_the_settings_say_that_it_listens(
        self, overlay: Path, container: dict[str, Any]
    ) -> None:
        asked = {name: container[f"{name}Probe"]["httpGet"] for name in ("startup", "liveness", "readiness")}
        assert {name: probe["path"] for name, probe in asked.items()} == {
            "startup": "/healthz",
            "liveness": "/healthz",
            "readiness": "/readyz",
        }
        assert {probe["port"] for probe in asked.values()} == {"health"}
        ports = {port["name"]: f"0.0.0.0:{port['containerPort']}" for port in container["ports"]}
        web = load(overlay / "freshness.yaml").web
        assert ports == {"web": web.listen, "health": web.health_listen}

    def test_mounts_the_settings_that_it_ships(
        self, overlay: Path, resources: dict[str, Resource], pod: dict[str, Any]
    ) -> None:
        settings = resources["ConfigMap"]
        assert settings["data"] == {"freshness.yaml": (overlay / "freshness.yaml").read_text()}
        [named] = [volume["configMap"]["name"] for volume in pod["volumes"] if "configMap" in volume]
        assert named == settings["metadata"]["name"]

    def test_has_valid_settings_that_lack_only_their_secrets(self, overlay: Path) -> None:
        settings = load(overlay / "freshness.yaml")
        with pytest.raises(BadSettings) as error:
            check_secrets(settings, overlay / "freshness.yaml")
        lacking = {line.partition(":")[0] for line in error.value.lines}
        assert lacking
        assert lacking <= {f"/run/secrets/{name}" for name in example()["stringData"]}

    def test_runs_the_image_of_this_version_that_one_component_names(self, container: dict[str, Any]) -> None:
        project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
        name = project["urls"]["Source"].removeprefix("https://github.com/")
        assert container["image"] == f"ghcr.io/{name}:{project['version']}"
        naming = [path for path in DEPLOY.rglob("*.yaml") if "/freshness-bot\n" in path.read_text()]
        assert naming == [DEPLOY / "components/image/kustomization.yaml"]


class TestTheNetwork:
    def test_lets_nothing_in(self, resources: dict[str, Resource]) -> None:
        spec = resources["NetworkPolicy"]["spec"]
        assert set(spec["policyTypes"]) == {"Ingress", "Egress"}
        assert not spec.get("ingress")

    def test_lets_out_names_and_https(self, resources: dict[str, Resource]) -> None:
        names, web, *_ = resources["NetworkPolicy"]["spec"]["egress"]
        assert {port["port"] for port in names["ports"]} == {53}
        assert web["ports"] == [{"protocol": "TCP", "port": 443}]
        assert all(block["ipBlock"]["except"] for block in web["to"])

    def test_is_about_these_pods(self, resources: dict[str, Resource]) -> None:
        deployment = resources["Deployment"]["spec"]
        assert resources["NetworkPolicy"]["spec"]["podSelector"] == deployment["selector"]
        assert deployment["template"]["metadata"]["labels"].items() >= deployment["selector"]["matchLabels"].items()


class TestSingle:
    @pytest.fixture
    def single(self) -> dict[str, Resource]:
        return built(DEPLOY / "overlays/single")

    def test_is_alone_with_its_database(self, single: dict[str, Resource]) -> None:
        deployment = single["Deployment"]["spec"]
        assert deployment["replicas"] == 1
        assert deployment["strategy"] == {"type": "Recreate"}
        assert single["PersistentVolumeClaim"]["spec"]["accessModes"] == ["ReadWriteOnce"]

    def test_keeps_the_database_on_the_volume(self, single: dict[str, Resource]) -> None:
        assert load(DEPLOY / "overlays/single/freshness.yaml").store.url.startswith("sqlite:////data/")
        [container] = pod_of(single["Deployment"])["containers"]
        assert "/data" in {mount["mountPath"] for mount in container["volumeMounts"]}

    def test_reaches_no_database_in_the_network(self, single: dict[str, Resource]) -> None:
        assert len(single["NetworkPolicy"]["spec"]["egress"]) == 2


class TestReplicated:
    @pytest.fixture
    def replicated(self) -> dict[str, Resource]:
        return built(DEPLOY / "overlays/replicated")

    def test_keeps_one_at_work(self, replicated: dict[str, Resource]) -> None:
        deployment = replicated["Deployment"]["spec"]
        budget = replicated["PodDisruptionBudget"]["spec"]
        assert deployment["replicas"] == 2
        assert deployment["strategy"]["rollingUpdate"]["maxUnavailable"] == 0
        assert budget["maxUnavailable"] == 1
        assert budget["selector"] == deployment["selector"]

    def test_spreads_over_nodes(self, replicated: dict[str, Resource]) -> None:
        deployment = replicated["Deployment"]["spec"]
        nodes, zones = pod_of(replicated["Deployment"])["topologySpreadConstraints"]
        assert (nodes["topologyKey"], nodes["whenUnsatisfiable"]) == ("kubernetes.io/hostname", "DoNotSchedule")
        assert zones["whenUnsatisfiable"] == "ScheduleAnyway"
        assert nodes["labelSelector"] == zones["labelSelector"] == deployment["selector"]

    def test_shares_postgresql_and_reaches_it(self, replicated: dict[str, Resource]) -> None:
        assert load(DEPLOY / "overlays/replicated/freshness.yaml").store.url.startswith("postgresql://")
        *_, database = replicated["NetworkPolicy"]["spec"]["egress"]
        assert database["ports"] == [{"protocol": "TCP", "port": 5432}]
        assert "PersistentVolumeClaim" not in replicated


def test_the_example_holds_no_real_secret_and_is_applied_by_no_overlay() -> None:
    assert all(text.startswith("put ") for text in example()["stringData"].values())
    assert all("Secret" not in built(DEPLOY / "overlays" / name) for name in OVERLAYS)


def example() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((DEPLOY / "secret-example.yaml").read_text())
    return found
