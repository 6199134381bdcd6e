"""What runs in subscriptions of Azure, listed over HTTP from an edge on loopback."""

import os
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bot.clients.azure.reader import AzureReader
from bot.clients.http.client import Limits
from bot.clients.kubernetes.access import ClusterAccess
from bot.domain.clock import SystemClock
from bot.domain.failure import Failure, Trouble
from bot.domain.running.snapshot import RunningContainer, RunningPlace, Snapshot
from bot.fleet.wiring.clusters import clusters_of
from bot.settings import Settings
from sandbox.azure_resources.manager import TOKEN, Manager
from sandbox.edges.serving import Server

ONE, OTHER = (f"{digit * 8}-0000-0000-0000-000000000000" for digit in "12")
OLD, NEW = (f"sha256:{digit * 64}" for digit in "ab")
IMAGE = "ghcr.io/contoso/shop"
HASTY = Limits(total=1, attempts=1)


@pytest.fixture(autouse=True)
def directly(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.lower().endswith("_proxy")]:
        monkeypatch.delenv(name)


@pytest.fixture
def manager() -> Manager:
    return Manager()


@pytest.fixture
def server(manager: Manager) -> Iterator[Server]:
    served = manager.serve()
    yield served
    served.stop()


async def listed(server: Server, *subscriptions: str, exclude: tuple[str, ...] = ()) -> Snapshot:
    access = ClusterAccess(server.url, TOKEN)
    reader = AzureReader(lambda: access, SystemClock(), subscriptions or (ONE,), exclude, limits=HASTY)
    return await reader.snapshot()


def container(snapshot: Snapshot, workload: str) -> RunningContainer:
    [one] = [each for each in snapshot.containers if each.place.workload == workload]
    return one


async def test_a_container_app_runs_what_its_template_names_by_digest(manager: Manager, server: Server) -> None:
    manager.app(ONE, "shop-rg", "web", f"{IMAGE}@{NEW}")
    found = await listed(server)
    place = RunningPlace("shop-rg", "ContainerApp", "web", "web")
    assert found.containers == (RunningContainer(place, f"{IMAGE}@{NEW}", NEW, None, 0, 1),)
    assert found.is_whole


async def test_of_a_tag_no_digest_is_told(manager: Manager, server: Server) -> None:
    manager.app(ONE, "shop-rg", "web", f"{IMAGE}:1.4")
    assert container(await listed(server), "web").digest is None


async def test_nothing_of_an_environment_is_kept(manager: Manager, server: Server) -> None:
    manager.app(ONE, "shop-rg", "web", f"{IMAGE}@{NEW}")
    assert "hunter2" not in repr(await listed(server))


@pytest.mark.parametrize("told", [{"mode": "Multiple"}, {"ready": False}])
async def test_each_active_revision_runs_where_one_template_does_not_say_all(
    manager: Manager, server: Server, told: dict[str, object]
) -> None:
    app = manager.app(ONE, "shop-rg", "web", f"{IMAGE}@{NEW}", **told)  # type: ignore[arg-type]
    manager.revision(app, 0, f"{IMAGE}@sha256:{'c' * 64}", active=False)
    manager.revision(app, 1, f"{IMAGE}@{OLD}")
    manager.revision(app, 2, f"{IMAGE}@{NEW}")
    found = await listed(server)
    assert [each.digest for each in found.containers] == [OLD, NEW]
    assert found.containers[0].started_at == datetime(2026, 11, 1, 8, tzinfo=UTC)


async def test_a_stopped_app_runs_nothing(manager: Manager, server: Server) -> None:
    app = manager.app(ONE, "shop-rg", "web", f"{IMAGE}@{NEW}")
    manager.resources[app]["properties"]["runningStatus"] = "Stopped"
    assert (await listed(server)).containers == ()


async def test_a_web_app_and_its_slots_run_an_image_each(manager: Manager, server: Server) -> None:
    site = manager.site(ONE, "shop-rg", "web", f"DOCKER|{IMAGE}@{NEW}")
    manager.slot(site, "staging", f"DOCKER|{IMAGE}@{OLD}")
    found = await listed(server)
    assert [(each.place.workload, each.digest) for each in found.containers] == [("web", NEW), ("web/staging", OLD)]


async def test_containers_beside_each_other_in_a_web_app_are_told_apart(manager: Manager, server: Server) -> None:
    site = manager.site(ONE, "shop-rg", "web", "SITECONTAINERS")
    manager.sidecars(site, {"main": f"{IMAGE}@{NEW}", "proxy": "nginx:1.29"})
    found = await listed(server)
    assert [(each.place.container, each.digest) for each in found.containers] == [("main", NEW), ("proxy", None)]
    assert found.containers[0].started_at is None


async def test_a_web_app_of_code_may_have_containers_beside_it(manager: Manager, server: Server) -> None:
    site = manager.site(ONE, "shop-rg", "web", "DOTNETCORE|10.0")
    manager.sidecars(site, {"proxy": f"{IMAGE}@{NEW}"})
    assert [each.digest for each in (await listed(server)).containers] == [NEW]


async def test_a_compose_file_in_a_web_app_is_told_as_one_of_which_nothing_is_known(
    manager: Manager, server: Server
) -> None:
    manager.site(ONE, "shop-rg", "web", "COMPOSE|dmVyc2lvbjogJzMn")
    found = container(await listed(server), "web")
    assert (found.place.container, found.digest) == ("compose", None)


async def test_what_is_no_container_is_not_asked_for(manager: Manager, server: Server) -> None:
    manager.site(ONE, "shop-rg", "web", "", linux=False)
    assert (await listed(server)).containers == ()
    assert len(manager.asked) == 3


async def test_a_container_group_runs_until_it_is_stopped(manager: Manager, server: Server) -> None:
    manager.group(ONE, "shop-rg", "job", f"{IMAGE}@{NEW}")
    manager.group(ONE, "shop-rg", "rest", f"{IMAGE}@{OLD}", state="Stopped")
    found = await listed(server)
    assert [(each.digest, each.restarts) for each in found.containers] == [(NEW, 1)]


async def test_lists_are_read_to_their_end_over_all_subscriptions(manager: Manager, server: Server) -> None:
    for number in range(5):
        manager.app(ONE, f"rg-{number}", f"web-{number}", f"{IMAGE}@{NEW}")
    manager.app(OTHER, "other", "web", f"{IMAGE}@{NEW}")
    found = await listed(server, ONE, OTHER, exclude=("rg-4",))
    assert len(found.containers) == 5
    assert len(manager.asked) == 8


async def test_one_request_tells_of_apps_that_run_their_latest_template(manager: Manager, server: Server) -> None:
    manager.most = 100
    for number in range(50):
        manager.app(ONE, "rg", f"web-{number}", f"{IMAGE}@{NEW}")
    assert len((await listed(server)).containers) == 50
    assert len(manager.asked) == 3


@pytest.mark.parametrize("fault", ["forbidden", "cut"])
async def test_a_part_that_cannot_be_read_is_named_and_the_rest_is_told(
    manager: Manager, server: Server, fault: str
) -> None:
    manager.app(ONE, "shop-rg", "web", f"{IMAGE}@{NEW}")
    manager.group(ONE, "shop-rg", "job", f"{IMAGE}@{NEW}")
    setattr(manager, fault, "Microsoft.ContainerInstance")
    found = await listed(server)
    assert [each.place.workload for each in found.containers] == ["web"]
    [line] = found.not_read
    assert line.startswith(f"container groups of {ONE}: ")


async def test_a_service_below_that_is_refused_makes_the_list_a_part(manager: Manager, server: Server) -> None:
    manager.site(ONE, "shop-rg", "web", f"DOCKER|{IMAGE}@{NEW}")
    manager.forbidden = "/config/web"
    [line] = (await listed(server)).not_read
    assert "may not be read" in line
    assert "give the bot's identity the role Reader on the subscription" in line


async def test_where_nothing_can_be_read_it_says_why(manager: Manager, server: Server) -> None:
    manager.takes = lambda token: False
    with pytest.raises(Failure, match="does not take the credentials") as caught:
        await listed(server)
    assert caught.value.trouble is Trouble.DENIED


async def test_a_list_that_goes_on_at_another_host_is_followed_nowhere(manager: Manager, server: Server) -> None:
    for number in range(3):
        manager.app(ONE, "rg", f"web-{number}", f"{IMAGE}@{NEW}")
    manager.elsewhere = "https://evil.example/subscriptions?api-version=1"
    [line] = (await listed(server)).not_read
    assert "goes on elsewhere, or without end" in line


@pytest.mark.parametrize("template", [{"containers": [{"name": 3}]}, {"containers": "x"}, None, "x"])
async def test_an_entry_that_is_not_as_described_makes_the_list_a_part(
    manager: Manager, server: Server, template: object
) -> None:
    app = manager.app(ONE, "rg", "web", f"{IMAGE}@{NEW}")
    manager.app(ONE, "rg", "other", f"{IMAGE}@{NEW}")
    manager.resources[app]["properties"]["template"] = template
    found = await listed(server)
    [line] = found.not_read
    assert line.startswith("rg/web: ")
    assert "is not as the interface describes it" in line
    assert [each.place.workload for each in found.containers] == ["other"]


@pytest.mark.parametrize("view", ["x", [], {"currentState": "Running"}])
async def test_the_state_of_a_group_that_is_not_as_described_stops_no_other(
    manager: Manager, server: Server, view: object
) -> None:
    group = manager.group(ONE, "rg", "job", f"{IMAGE}@{NEW}")
    manager.group(ONE, "rg", "other", f"{IMAGE}@{NEW}")
    document = manager.below[group]
    assert isinstance(document, dict)
    document["properties"]["containers"][0]["properties"]["instanceView"] = view
    found = await listed(server)
    assert ([each.place.workload for each in found.containers], len(found.not_read)) == (["other"], 1)


async def test_what_is_gone_since_it_was_listed_runs_no_more(manager: Manager, server: Server) -> None:
    manager.group(ONE, "rg", "job", f"{IMAGE}@{NEW}")
    manager.gone = "/containerGroups/job"
    found = await listed(server)
    assert (found.containers, found.is_whole) == ((), True)


async def test_a_throttled_subscription_keeps_no_other_from_being_read(manager: Manager, server: Server) -> None:
    manager.app(OTHER, "rg", "web", f"{IMAGE}@{NEW}")
    manager.throttled = ONE
    found = await listed(server, ONE, OTHER)
    assert [each.digest for each in found.containers] == [NEW]
    assert (len(found.not_read), len(manager.asked)) == (3, 4)


async def test_whoever_does_not_answer_is_asked_once(manager: Manager, server: Server) -> None:
    manager.cut = "/subscriptions/"
    with pytest.raises(Failure):
        await listed(server, ONE, OTHER)
    assert len(manager.asked) == 1


async def test_names_count_in_whatever_case_a_service_answers_them(manager: Manager, server: Server) -> None:
    manager.app(ONE, "MC_Shop", "web", f"{IMAGE}@{OLD}")
    app = manager.app(ONE, "Shop-RG", "Web", f"{IMAGE}@{NEW}")
    manager.resources[app]["id"] = app.replace("/resourceGroups/", "/resourcegroups/")
    [of_shop] = (await listed(server, exclude=("MC_*",))).containers
    assert (of_shop.place.namespace, of_shop.place.workload) == ("shop-rg", "web")


@pytest.mark.parametrize("image", ["", "a\0b"])
async def test_a_stack_whose_image_is_no_name_is_not_read(manager: Manager, server: Server, image: str) -> None:
    manager.site(ONE, "rg", "web", f"DOCKER|{image}")
    [line] = (await listed(server)).not_read
    assert "is not as the interface describes it" in line


async def test_the_settings_lead_there(manager: Manager, server: Server, tmp_path: Path) -> None:
    (tmp_path / "token").write_text(TOKEN)
    manager.app(ONE, "rg", "web", f"{IMAGE}@{NEW}")
    source = {"name": "apps", "environment": "production", "kind": "azure", "subscriptions": [ONE]}
    written = source | {"server": server.url, "token_file": str(tmp_path / "token")}
    settings = Settings.model_validate({"running": {"sources": [written]}})
    snapshot = await clusters_of(settings, SystemClock())["apps"].snapshot()
    assert [each.digest for each in snapshot.containers] == [NEW]
