"""A list of pods over HTTP, through all that happens to one."""

import pytest

from bot.domain.failure import Failure, Trouble
from bot.domain.running.snapshot import Snapshot
from sandbox.edges.serving import Server
from sandbox.kubernetes.cluster import Cluster
from tests.integration.kubernetes.conftest import reader

BROKEN_OFF = "no complete answer|silent|broke off"


def namespaces(snapshot: Snapshot) -> list[str]:
    return sorted({each.place.namespace for each in snapshot.containers})


async def test_every_page_is_read(cluster: Cluster, server: Server) -> None:
    snapshot = await reader(server).snapshot()
    assert len(snapshot.containers) == 8
    assert snapshot.is_whole
    assert [asked.partition("&")[0] for asked in cluster.asked] == ["/api/v1/pods?limit=500"] * 3


async def test_pods_of_named_namespaces_alone_are_asked_for(cluster: Cluster, server: Server) -> None:
    snapshot = await reader(server, "shop").snapshot()
    assert (namespaces(snapshot), snapshot.is_whole) == (["shop"], True)
    assert all(asked.startswith("/api/v1/namespaces/shop/pods?") for asked in cluster.asked)


async def test_a_list_that_the_server_has_forgotten_is_begun_anew(cluster: Cluster, server: Server) -> None:
    cluster.trouble.forgets_after = 2
    snapshot = await reader(server).snapshot()
    assert (len(snapshot.containers), snapshot.is_whole) == (8, True)
    assert all(each.pods == 1 for each in snapshot.containers)


async def test_what_the_server_forgets_time_and_again_is_not_whole(cluster: Cluster, server: Server) -> None:
    cluster.trouble.forgets_after, cluster.trouble.forgotten = 1, 100
    snapshot = await reader(server).snapshot()
    [line] = snapshot.not_read
    assert line.startswith("pods: was begun 3 times, and the server could go on with none (410)")


async def test_a_namespace_that_may_not_be_listed_is_told_and_hides_no_other(
    cluster: Cluster, server: Server
) -> None:
    cluster.trouble.forbidden = frozenset({"billing"})
    snapshot = await reader(server, "billing", "shop").snapshot()
    assert namespaces(snapshot) == ["shop"]
    [line] = snapshot.not_read
    assert line.startswith("namespace billing: does not let pods be listed: pods is forbidden: User ")


async def test_who_may_list_nothing_is_told_which_right_is_missing(cluster: Cluster, server: Server) -> None:
    cluster.trouble.forbidden = frozenset({"billing"})
    with pytest.raises(Failure, match="bind a role with the verb list on pods") as caught:
        await reader(server).snapshot()
    assert caught.value.trouble is Trouble.DENIED


async def test_a_token_that_is_not_taken_is_told(server: Server) -> None:
    with pytest.raises(Failure, match="does not take the credentials") as caught:
        await reader(server, token="wrong").snapshot()
    assert caught.value.trouble is Trouble.DENIED


@pytest.mark.parametrize("trouble", ["silent_after", "cut_after"])
async def test_a_list_that_breaks_off_is_not_whole(cluster: Cluster, server: Server, trouble: str) -> None:
    setattr(cluster.trouble, trouble, 1)
    snapshot = await reader(server).snapshot()
    assert (len(snapshot.containers), snapshot.is_whole) == (3, False)


async def test_who_is_silent_is_not_asked_for_each_namespace(cluster: Cluster, server: Server) -> None:
    cluster.trouble.cut_after = 0
    with pytest.raises(Failure, match=BROKEN_OFF):
        await reader(server, "billing", "shop").snapshot()
    assert len(cluster.asked) == 1


async def test_nobody_there_is_unreachable(server: Server) -> None:
    server.stop()
    with pytest.raises(Failure, match="cannot be connected to") as caught:
        await reader(server).snapshot()
    assert caught.value.trouble is Trouble.UNREACHABLE
