"""A registry that lies ends in one clear line, in bounded time and memory, and harms no other base."""

import json
import tracemalloc
from datetime import UTC, datetime

import pytest

from bot.clients.registry import LARGEST_MANIFEST, Registry
from bot.domain.bases.image import OCI_INDEX, digest_of
from bot.domain.clock import ManualClock
from bot.domain.failure import Failure, Trouble
from bot.domain.reference import Base
from bot.fleet.watch.registry.observe import read
from bot.fleet.watch.registry.tick import tick
from bot.reconcile.loop import Loop
from tests.fakes.stores.watch import FakeWatchStore
from tests.integration.registry.hostile import Hostile, Misdeed, dribbles, never_answers, says

NOW = datetime(2025, 11, 20, 9, 0, tzinfo=UTC)
LIE = digest_of(b"what it is not")
REPOSITORY = "dotnet/aspnet"


def index(*entries: object) -> bytes:
    return json.dumps({"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": entries}).encode()


def entry(digest: str) -> dict[str, object]:
    platform = {"os": "linux", "architecture": "amd64"}
    return {"mediaType": OCI_INDEX, "digest": digest, "size": 1, "platform": platform}


async def reading(client: Registry, hostile: Hostile, tag: str = "1") -> Failure:
    """What comes of looking at a tag, and at what it points to."""
    base = Base(hostile.host, REPOSITORY, tag)
    with pytest.raises(Failure) as caught:
        await read(client, FakeWatchStore([], ManualClock(NOW)), base, (await client.head(base)).digest)
    assert "\n" not in str(caught.value)
    assert str(caught.value).startswith(hostile.host)
    return caught.value


def points_to(digest: str) -> Misdeed:
    return says(200, {"docker-content-digest": digest, "content-type": OCI_INDEX})


async def test_a_body_that_is_not_what_its_digest_names_is_refused(wary: Registry, hostile: Hostile) -> None:
    hostile.misdeeds = {"/manifests/1": points_to(LIE), f"/manifests/{LIE}": says(200, {}, index())}
    failure = await reading(wary, hostile)
    assert failure.trouble is Trouble.MALFORMED
    assert "sent content with digest sha256:" in str(failure)


async def test_an_endless_body_is_left_at_the_largest_manifest(wary: Registry, hostile: Hostile) -> None:
    hostile.misdeeds = {"/manifests/1": points_to(LIE), f"/manifests/{LIE}": hostile.endless({})}
    tracemalloc.start()
    failure = await reading(wary, hostile)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert "sent more than the 4 MiB that are accepted" in str(failure)
    assert most < 4 * LARGEST_MANIFEST
    assert hostile.sent < 8 * LARGEST_MANIFEST


@pytest.mark.parametrize("misdeed", [dribbles({}), never_answers])
async def test_a_body_or_a_head_that_trickles_is_cut_off(
    hasty: Registry, hostile: Hostile, misdeed: Misdeed
) -> None:
    hostile.misdeeds = {"/manifests/1": points_to(LIE), f"/manifests/{LIE}": misdeed}
    failure = await reading(hasty, hostile)
    assert failure.trouble is Trouble.UNREACHABLE
    assert "gave no complete answer within 2 s" in str(failure)


async def test_a_redirect_to_another_host_takes_no_password_along(wary: Registry, hostile: Hostile) -> None:
    async with Hostile({"/stolen": says(200, {}, b"{}")}) as thief:
        to = {"location": f"http://{thief.host}/stolen"}
        basic = {"www-authenticate": 'Basic realm="r"'}
        hostile.misdeeds = {"/manifests/1": says(401, basic)}
        with pytest.raises(Failure):
            await wary.head(Base(hostile.host, REPOSITORY, "1"))
        assert "authorization" in hostile.asked[-1].headers
        hostile.misdeeds = {"/manifests/1": points_to(LIE), f"/manifests/{LIE}": says(307, to)}
        await reading(wary, hostile)
        assert len(thief.asked) == 1
        assert "authorization" not in thief.asked[0].headers


async def test_a_registry_that_asks_for_credentials_for_ever_is_asked_twice(
    wary: Registry, hostile: Hostile
) -> None:
    realm = {"www-authenticate": f'Bearer realm="http://{hostile.host}/token"'}
    token = says(200, {}, b'{"token": "t"}')
    hostile.misdeeds = {"/manifests/1": says(401, realm), "/token?scope=repository%3Adotnet%2Faspnet%3Apull": token}
    failure = await reading(wary, hostile)
    assert failure.trouble is Trouble.DENIED
    assert [asked.method for asked in hostile.asked] == ["HEAD", "GET", "HEAD"]


async def test_a_page_instead_of_a_manifest_is_refused(wary: Registry, hostile: Hostile) -> None:
    hostile.misdeeds = {"/manifests/1": says(200, {"content-type": "text/html"}, b"<html>")}
    assert "sent something that is not JSON" in str(await reading(wary, hostile))


async def test_a_wrong_digest_with_the_body_is_refused_where_the_head_has_none(
    wary: Registry, hostile: Hostile
) -> None:
    wrong = says(200, {"docker-content-digest": LIE, "content-type": OCI_INDEX}, index())
    silent = says(200, {"content-type": OCI_INDEX})

    async def misdeed(asked, writer):  # type: ignore[no-untyped-def]
        await (silent if asked.method == "HEAD" else wrong)(asked, writer)

    hostile.misdeeds = {"/manifests/1": misdeed}
    assert "sent content with digest sha256:" in str(await reading(wary, hostile))


async def test_an_index_that_lists_itself_is_refused(wary: Registry, hostile: Hostile) -> None:
    body = index(entry(LIE))
    hostile.misdeeds = {"/manifests/1": points_to(LIE), f"/manifests/{LIE}": says(200, {}, body)}
    assert "sent content with digest" in str(await reading(wary, hostile))


async def test_of_indexes_within_an_index_one_level_is_followed(wary: Registry, hostile: Hostile) -> None:
    innermost = index()
    inner = index(entry(digest_of(innermost)))
    outer = index(entry(digest_of(inner)))
    hostile.misdeeds = {
        "/manifests/1": points_to(digest_of(outer)),
        f"/manifests/{digest_of(outer)}": says(200, {}, outer),
        f"/manifests/{digest_of(inner)}": says(200, {}, inner),
        f"/manifests/{digest_of(innermost)}": says(200, {}, innermost),
    }
    assert "lists no image" in str(await reading(wary, hostile))
    assert f"/v2/dotnet/aspnet/manifests/{digest_of(innermost)}" not in [each.path for each in hostile.asked]


async def test_an_index_of_ten_thousand_manifests_is_refused_unread(wary: Registry, hostile: Hostile) -> None:
    body = index(*[entry(LIE)] * 10_000)
    hostile.misdeeds = {"/manifests/1": points_to(digest_of(body)), digest_of(body): says(200, {}, body)}
    assert "lists 10000 manifests in one index; 500 are accepted" in str(await reading(wary, hostile))
    assert len(hostile.asked) == 2


async def test_an_index_of_hundreds_of_platforms_is_refused_unread(wary: Registry, hostile: Hostile) -> None:
    entries = [
        {"mediaType": "m", "digest": LIE, "size": 1, "platform": {"os": "linux", "architecture": f"a{number}"}}
        for number in range(400)
    ]
    body = index(*entries)
    hostile.misdeeds = {"/manifests/1": points_to(digest_of(body)), digest_of(body): says(200, {}, body)}
    assert "lists 400 platforms; 32 are accepted" in str(await reading(wary, hostile))
    assert len(hostile.asked) == 2


async def test_other_bases_of_the_same_tick_are_unaffected(patient: Registry, hostile: Hostile) -> None:
    config = b'{"os": "linux", "architecture": "amd64"}'
    single = json.dumps({"schemaVersion": 2, "config": {"digest": digest_of(config)}, "layers": []}).encode()
    hostile.misdeeds = {
        "/manifests/good": points_to(digest_of(single)),
        f"/manifests/{digest_of(single)}": says(200, {}, single),
        f"/blobs/{digest_of(config)}": says(200, {}, config),
        "/manifests/wrong": points_to(LIE),
        f"/manifests/{LIE}": says(200, {}, index()),
        "/manifests/page": says(200, {"content-type": "text/html"}, b"<html>"),
        "/manifests/slow": never_answers,
        "/manifests/huge": hostile.endless({}),
    }
    bases = [Base(hostile.host, REPOSITORY, tag) for tag in ("slow", "wrong", "huge", "page", "gone", "good")]
    clock = ManualClock(NOW)
    store = FakeWatchStore(bases, clock)
    tally = await tick(store, patient, Loop(clock))
    assert [sighting.observation.base.tag for sighting in tally.sightings] == ["good"]
    assert (tally.failed, tally.postponed) == (5, 0)
    told = {store.bases[number].base.tag for number, row in store.bases.rows.items() if row.error}
    assert told == {"slow", "wrong", "huge", "page", "gone"}
