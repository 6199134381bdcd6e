"""One window of a Prometheus over HTTP: what its series tell, and how it fails."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from bot.clients.http.client import Limits
from bot.clients.kubernetes.access import by_token
from bot.clients.prometheus.reader import PrometheusReader
from bot.domain.clock import SystemClock
from bot.domain.failure import Failure, Trouble
from bot.domain.running.backfill import STEP, SampledWindow
from bot.domain.running.snapshot import RunningPlace
from sandbox.edges.serving import Server
from sandbox.kubernetes.pods import digest_of
from sandbox.prometheus.server import Kept
from tests.integration.prometheus.conftest import HOUR, IMAGE, NOON, pod

HASTY = Limits(total=1, attempts=1)
SHOP = RunningPlace("shop", "Deployment", "shop", "shop")
DURING = NOON - 3 * HOUR, NOON - HOUR


async def read(
    server: Server,
    *,
    token_file: Path | None = None,
    limits: Limits = HASTY,
    labels: Mapping[str, str] = {},
    namespaces: Sequence[str] = (),
    exclude: Sequence[str] = (),
) -> SampledWindow:
    reader = PrometheusReader(
        lambda: by_token(server.url, token_file, None),
        SystemClock(),
        labels,
        namespaces,
        exclude,
        limits=limits,
    )
    return await reader.window(*DURING)


async def refused(server: Server, **how: object) -> Failure:
    with pytest.raises(Failure) as failure:
        await read(server, **how)  # type: ignore[arg-type]
    return failure.value


async def test_one_request_tells_what_ran_at_each_moment(kept: Kept, server: Server) -> None:
    window = await read(server)
    assert kept.asked == [DURING]
    old, new = sorted(window.containers, key=lambda each: each.seen)
    assert (old.place, old.digest, old.image) == (SHOP, digest_of("old"), IMAGE)
    assert (new.place, new.digest, new.image) == (SHOP, digest_of("new"), IMAGE)
    assert (old.seen[0], new.seen[-1]) == DURING
    assert window.whole == tuple(NOON - 3 * HOUR + number * STEP for number in range(25))


async def test_a_pod_is_told_as_a_list_of_pods_names_it(kept: Kept, server: Server) -> None:
    first = kept.pods[1]
    owners = {
        "CronJob": replace(first, pod="a", owner=("Job", "nightly-29012345")),
        "Pod": replace(first, pod="b", owner=None),
        "ReplicaSet": replace(first, pod="c", owner=("ReplicaSet", "alone"), above=None),
        "StatefulSet": replace(first, pod="d", owner=("StatefulSet", "db")),
    }
    kept.pods = list(owners.values())
    window = await read(server)
    workloads = {each.place.kind: each.place.workload for each in window.containers}
    assert workloads == {"CronJob": "nightly", "Pod": "b", "ReplicaSet": "alone", "StatefulSet": "db"}


@pytest.mark.parametrize(
    "changed",
    [
        {"has_owner_series": False},
        {"image_id": "ghcr.io/contoso/shop:1"},
        {"container": "n" * 64},
        {"owner": ("StatefulSet", "\x1b[2J")},
    ],
)
async def test_a_pod_of_which_digest_or_workload_is_not_told_leaves_its_moments_open(
    kept: Kept, server: Server, changed: dict[str, object]
) -> None:
    kept.pods.append(replace(pod("other", NOON - 90 * timedelta(minutes=1), NOON, name="x"), **changed))  # type: ignore[arg-type]
    window = await read(server)
    assert {each.place for each in window.containers} == {SHOP}
    assert window.whole[-1] < NOON - 80 * timedelta(minutes=1)


async def test_a_job_that_has_ended_runs_no_more(kept: Kept, server: Server) -> None:
    job = pod("job", NOON - 3 * HOUR, NOON, name="job")
    kept.pods.append(replace(job, owner=("Job", "once"), ended_at=NOON - 2 * HOUR))
    [told] = [each for each in (await read(server)).containers if each.place.workload == "once"]
    assert told.seen[-1] <= NOON - 2 * HOUR + STEP


async def test_only_the_namespaces_of_the_source_count(kept: Kept, server: Server) -> None:
    kept.pods.append(replace(pod("x", *DURING, namespace="kube-system"), has_owner_series=False))
    assert len((await read(server)).whole) < 25
    assert len((await read(server, namespaces=["shop"])).whole) == 25
    assert len((await read(server, exclude=["kube-*"])).whole) == 25


async def test_moments_of_which_a_part_is_missing_are_not_whole(kept: Kept, server: Server) -> None:
    kept.warnings = ["receive store 10.0.0.1: deadline exceeded"]
    assert (await read(server)).whole == ()


async def test_series_of_several_clusters_are_refused_until_one_is_named(kept: Kept, server: Server) -> None:
    kept.pods = [replace(each, others=(("cluster", each.image_id[-4:]),)) for each in kept.pods]
    failure = await refused(server)
    assert failure.what.startswith("keeps several clusters (")
    assert failure.advice == "name the one of this source under past.labels"
    [one] = (await read(server, labels={"cluster": kept.pods[0].image_id[-4:]})).containers
    assert one.digest == digest_of("old")


async def test_labels_of_who_was_scraped_are_no_place(kept: Kept, server: Server) -> None:
    kept.pods = [replace(each, others=(("exported_pod", "shop"),)) for each in kept.pods]
    assert (await refused(server)).advice == "set honor_labels: true where it is scraped"


@pytest.mark.parametrize(
    ("status", "trouble", "what", "advice"),
    [
        (422, Trouble.MALFORMED, "too many samples", "name its namespaces in several sources"),
        (400, Trouble.MALFORMED, "maximum resolution", "name its namespaces in several sources"),
        (503, Trouble.UNREACHABLE, "has trouble of its own (503)", "it is tried again later"),
        (404, Trouble.MISSING, "is no Prometheus", "check the address"),
        (403, Trouble.DENIED, "does not let its series be read (403)", "give past a token_file that may"),
    ],
)
async def test_a_refusal_says_what_to_do(
    kept: Kept, server: Server, status: int, trouble: Trouble, what: str, advice: str
) -> None:
    kept.statuses = [status]
    failure = await refused(server)
    assert (failure.trouble, failure.advice) == (trouble, advice)
    assert what in failure.what


async def test_the_token_is_shown(kept: Kept, server: Server, tmp_path: Path) -> None:
    kept.token = "t" * 24
    assert (await refused(server)).trouble is Trouble.DENIED
    (tmp_path / "token").write_text(kept.token)
    assert (await read(server, token_file=tmp_path / "token")).containers


async def test_who_stays_silent_is_asked_later(kept: Kept, server: Server) -> None:
    kept.is_silent = True
    failure = await refused(server)
    assert (failure.trouble, failure.advice) == (Trouble.UNREACHABLE, "it is tried again later")


async def test_an_answer_that_is_too_large_is_not_read(kept: Kept, server: Server) -> None:
    kept.pods = [pod(f"{number}", *DURING) for number in range(50)]
    failure = await refused(server, limits=replace(HASTY, max_bytes=20_000))
    assert failure.what == "sent more than the 20000 bytes that are accepted"
    assert failure.advice == "name its namespaces in several sources"
