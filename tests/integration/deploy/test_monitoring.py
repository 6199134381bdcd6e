"""The overlay `monitoring`: rules that fire when they should, and a dashboard of metrics that exist."""

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml

from bot.fleet.metrics import METRICS
from tests.integration.deploy.kustomize import DEPLOY, Resource, built, pod_of

FOLDER = DEPLOY / "overlays" / "monitoring"
SERIES = {series for metric in METRICS for series in metric.series}
LABELS = {label for metric in METRICS for label in metric.labels} | {
    "le",
    "instance",
    "pod",
    "alertname",
    "alertstate",
}


@pytest.fixture(scope="module")
def resources() -> dict[str, Resource]:
    return built(FOLDER)


@pytest.fixture
def rules(tmp_path: Path) -> Path:
    """The groups alone, as Prometheus without its operator reads them."""
    text = yaml.safe_load((FOLDER / "rules.yaml").read_text())
    (tmp_path / "rules.yaml").write_text(yaml.safe_dump(text["spec"]))
    return tmp_path / "rules.yaml"


def promtool(*words: object, cwd: Path) -> None:
    if shutil.which("promtool") is None:
        pytest.skip("promtool is not installed: apt-get install prometheus")
    ended = subprocess.run(
        ["promtool", *map(str, words)], cwd=cwd, capture_output=True, text=True, timeout=60, check=False
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr


def test_prometheus_takes_the_rules(rules: Path) -> None:
    promtool("check", "rules", "--lint-fatal", rules, cwd=rules.parent)


def test_the_rules_fire_when_they_should(rules: Path) -> None:
    shutil.copy(Path(__file__).with_name("alerts.yaml"), rules.parent)
    promtool("test", "rules", "alerts.yaml", cwd=rules.parent)


def test_every_rule_is_tried() -> None:
    groups = yaml.safe_load((FOLDER / "rules.yaml").read_text())["spec"]["groups"]
    tried = Path(__file__).with_name("alerts.yaml").read_text()
    assert [rule["alert"] for group in groups for rule in group["rules"] if rule["alert"] not in tried] == []


def expressions() -> list[tuple[str, str]]:
    board = json.loads((FOLDER / "freshness-bot.json").read_text())
    groups = yaml.safe_load((FOLDER / "rules.yaml").read_text())["spec"]["groups"]
    return [
        *((rule["alert"], rule["expr"]) for group in groups for rule in group["rules"]),
        *((panel["title"], target["expr"]) for panel in board["panels"] for target in panel.get("targets", ())),
    ]


@pytest.mark.parametrize(("where", "expression"), expressions())
def test_every_metric_and_label_that_is_asked_for_exists(where: str, expression: str) -> None:
    asked = set(re.findall(r"\bfreshness_\w+", expression))
    assert asked
    assert asked - SERIES == set()
    labels = {
        name for inner in re.findall(r"\{([^}]*)\}", expression) for name in re.findall(r"(\w+)\s*(?:=|!)", inner)
    }
    labels |= {
        name
        for inner in re.findall(r"(?:by|without) \(([^)]*)\)", expression)
        for name in re.findall(r"\w+", inner)
    }
    assert labels - LABELS == set()


def test_every_metric_is_on_the_dashboard() -> None:
    shown = {name for _, expression in expressions() for name in re.findall(r"\w+", expression)}
    assert [metric.name for metric in METRICS if shown.isdisjoint(metric.series)] == []


def test_the_dashboard_is_taken_up_by_its_label(resources: dict[str, Resource]) -> None:
    board = resources["ConfigMap"]
    assert board["metadata"]["labels"]["grafana_dashboard"] == "1"
    assert json.loads(board["data"]["freshness-bot.json"])["uid"] == "freshness-bot"


@pytest.mark.parametrize("kind", ["Service", "NetworkPolicy", "ConfigMap"])
def test_what_kubernetes_knows_is_valid(resources: dict[str, Resource], kind: str) -> None:
    kubernetes_validate.validate(resources[kind], kubernetes_validate.latest_version(), strict=True)


def test_it_reaches_the_pods_of_the_other_overlays(resources: dict[str, Resource]) -> None:
    single = built(DEPLOY / "overlays" / "single")
    labels = single["Deployment"]["spec"]["template"]["metadata"]["labels"]
    [container] = pod_of(single["Deployment"])["containers"]
    ports = {port["name"]: port["containerPort"] for port in container["ports"]}
    service: dict[str, Any] = resources["Service"]["spec"]
    assert labels.items() >= service["selector"].items()
    assert {port["name"]: port["port"] for port in service["ports"]} == ports
    assert all(port["targetPort"] == port["name"] for port in service["ports"])
    policy = resources["NetworkPolicy"]["spec"]
    assert labels.items() >= policy["podSelector"]["matchLabels"].items()
    [scraped] = resources["ServiceMonitor"]["spec"]["endpoints"]
    assert (scraped["port"], scraped["path"]) == ("health", "/metrics")
    [let_in] = policy["ingress"]
    assert [port["port"] for port in let_in["ports"]] == ["health"]
    assert (
        resources["ServiceMonitor"]["spec"]["selector"]["matchLabels"].items()
        <= resources["Service"]["metadata"]["labels"].items()
    )
