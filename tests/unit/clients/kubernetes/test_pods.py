"""What runs in a pod: by which workload it is kept, and which digest its node tells."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.clients.kubernetes.pods import NoPod, RunningNow, containers_of, digest_in
from bot.domain.running.snapshot import RunningPlace
from sandbox.kubernetes.pods import SECRET, Container, Workload, digest_of, image_id, pods_of

NOW = datetime(2026, 11, 24, 9, 30, tzinfo=UTC)
API = Container("api", "ghcr.io/contoso/api:1.4", image_id("ghcr.io/contoso/api:1.4", "build"))
SHOP = Workload("shop", "Deployment", "api", [API])
HEX = "a" * 64
CRASHED = {"terminated": {"exitCode": 139, "startedAt": "2026-11-24T09:00:00Z"}}
DONE = {"terminated": {"exitCode": 0, "startedAt": "2026-11-24T09:00:00Z"}}


def pod(workload: Workload = SHOP) -> Any:
    return pods_of(workload, NOW)[0]


def digests(*containers: Container, kind: str = "Deployment", phase: str = "Running") -> dict[str, str | None]:
    """What a pod with these containers runs."""
    found = containers_of(pod(Workload("shop", kind, "api", containers, phase=phase)))
    return {each.place.container: each.digest for each in found}


@pytest.mark.parametrize(
    ("told", "digest"),
    [
        (f"ghcr.io/contoso/api@sha256:{HEX}", f"sha256:{HEX}"),
        (f"docker-pullable://ghcr.io/contoso/api@sha256:{HEX}", f"sha256:{HEX}"),
        (f"docker://sha256:{HEX}", f"sha256:{HEX}"),
        (f"sha256:{HEX}", f"sha256:{HEX}"),
        (HEX, f"sha256:{HEX}"),
        ("", None),
        (None, None),
        ("ghcr.io/contoso/api:1.4", None),
        (f"sha256:{HEX}a", None),
        (f"ghcr.io/contoso/api:{HEX}", None),
        (f"sha256:{HEX.upper()}", None),
    ],
)
def test_the_digest_is_read_in_each_form_in_which_nodes_tell_it(told: object, digest: str | None) -> None:
    assert digest_in(told) == digest


def test_a_container_is_known_by_its_workload_and_keeps_the_name_of_its_image() -> None:
    [found] = containers_of(pod())
    assert found.place == RunningPlace("shop", "Deployment", "api", "api")
    assert (found.image, found.digest) == ("ghcr.io/contoso/api:1.4", digest_of("build"))
    assert (found.started_at, found.restarts, found.pods) == (NOW, 0, 1)


@pytest.mark.parametrize(
    ("kind", "workload"),
    [
        ("Deployment", "api"),
        ("CronJob", "api"),
        ("StatefulSet", "api"),
        ("DaemonSet", "api"),
        ("Job", "api"),
        ("Pod", "api"),
    ],
)
def test_each_workload_is_the_one_that_people_made(kind: str, workload: str) -> None:
    [found] = containers_of(pod(replace(SHOP, kind=kind)))
    assert (found.place.kind, found.place.workload) == (kind, workload)


def test_a_replica_set_of_nobody_is_itself() -> None:
    document = pod()
    del document["metadata"]["labels"]["pod-template-hash"]
    [found] = containers_of(document)
    assert found.place.kind == "ReplicaSet"


def test_a_rollout_of_argo_is_known_by_its_own_hash() -> None:
    document = pod()
    labels = document["metadata"]["labels"]
    labels["rollouts-pod-template-hash"] = labels.pop("pod-template-hash")
    [found] = containers_of(document)
    assert (found.place.kind, found.place.workload) == ("Rollout", "api")


@pytest.mark.parametrize("phase", ["Succeeded", "Failed"])
def test_a_pod_that_has_ended_runs_nothing(phase: str) -> None:
    assert digests(API, phase=phase) == {}


@pytest.mark.parametrize(
    "state", [{}, {"waiting": {"reason": "ContainerCreating"}}, {"waiting": {"reason": "ImagePullBackOff"}}]
)
def test_what_waits_for_its_image_has_no_digest(state: dict[str, Any]) -> None:
    assert digests(replace(API, state=state)) == {"api": None}


@pytest.mark.parametrize("state", [{"waiting": {"reason": "CrashLoopBackOff"}}, CRASHED, DONE])
def test_what_is_started_again_and_again_runs(state: dict[str, Any]) -> None:
    assert digests(replace(API, state=state)) == {"api": digest_of("build")}


def test_what_is_done_for_good_runs_no_more() -> None:
    assert digests(replace(API, state=DONE), kind="Job") == {}
    assert digests(replace(API, state=CRASHED), kind="Job") == {"api": digest_of("build")}


def test_a_sidecar_runs_and_what_came_before_it_is_done() -> None:
    proxy = replace(API, name="proxy", init=True, is_sidecar=True)
    migration = replace(API, name="migrate", init=True, state=DONE)
    assert digests(API, proxy, migration).keys() == {"api", "proxy"}


def test_a_container_for_debugging_runs_until_it_ends() -> None:
    shell = replace(API, name="shell", ephemeral=True)
    assert digests(API, shell).keys() == {"api", "shell"}
    assert digests(API, replace(shell, state=DONE)).keys() == {"api"}


def test_a_pod_of_which_its_node_has_told_nothing_has_no_digest() -> None:
    document = pod()
    document["status"] = {"phase": "Pending"}
    [found] = containers_of(document)
    assert (found.digest, found.started_at) == (None, None)


def test_pods_of_one_place_are_summed_up_by_digest() -> None:
    earlier = replace(SHOP, replicas=2, started_at=datetime(2026, 11, 20, tzinfo=UTC))
    later = replace(SHOP, containers=[replace(API, image_id=image_id(API.image, "next"), restarts=3)])
    now = RunningNow()
    for workload in (later, earlier, SHOP):
        now.add(pods_of(workload, NOW))
    found = {each.digest: (each.pods, each.started_at, each.restarts) for each in now.containers()}
    assert found == {
        digest_of("build"): (3, datetime(2026, 11, 20, tzinfo=UTC), 0),
        digest_of("next"): (1, NOW, 3),
    }


def test_namespaces_that_are_left_out_are() -> None:
    now = RunningNow(exclude=["kube-*"])
    now.add([pod(), pod(replace(SHOP, namespace="kube-system"))])
    assert [each.place.namespace for each in now.containers()] == ["shop"]


def test_nothing_of_the_environment_is_kept() -> None:
    assert SECRET in json.dumps(pod())
    assert SECRET not in repr(list(containers_of(pod())))


@pytest.mark.parametrize(
    "broken",
    [
        None,
        {},
        {"metadata": {"namespace": "shop"}, "spec": {}, "status": {}},
        {"metadata": {"namespace": "a\nb"}, "spec": {"containers": [{"name": "a"}]}, "status": {}},
        {
            "metadata": {"namespace": "shop", "name": "a" * 300},
            "spec": {"containers": [{"name": "a"}]},
            "status": {},
        },
    ],
)
def test_what_is_no_pod_is_counted_and_hides_no_other(broken: object) -> None:
    with pytest.raises(NoPod):
        list(containers_of(broken))
    now = RunningNow()
    now.add([broken, pod()])
    assert (now.unread, len(now)) == (1, 1)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)


@given(st.data())
def test_whatever_stands_in_a_pod_it_is_read_or_counted(data: st.DataObject) -> None:
    document = pod()
    part: Any = document
    for _ in range(data.draw(st.integers(0, 4))):
        keys = list(part) if isinstance(part, dict) else list(range(len(part))) if isinstance(part, list) else []
        deeper = [key for key in keys if isinstance(part[key], dict | list) and part[key]]
        if not deeper:
            break
        part = part[data.draw(st.sampled_from(deeper))]
    keys = list(part) if isinstance(part, dict) else list(range(len(part)))
    part[data.draw(st.sampled_from(keys))] = data.draw(JSON)
    now = RunningNow()
    now.add([document])
    assert now.unread + len(now) <= 1
