"""A database of the first schema, with something in every table, opened by the bot of today."""

import zlib
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Engine, MetaData, inspect, select, text

from bot.domain.bases.change import Cause
from bot.domain.feeds.document import FeedKind
from bot.domain.reference import Base
from bot.domain.rollouts.rollout import Reconsidered
from bot.fleet.verify.attesting.rows import attestations
from bot.store.engine.database import migrations
from bot.store.migrations.steps import FIRST, steps_from, take
from bot.store.rows.images.gates import gates
from bot.store.rows.images.images import deployments, images
from bot.store.rows.inventories.inventories import later_indexes, shown_again
from bot.store.rows.inventories.vulnerabilities import dumps, vulnerabilities
from tests.integration.store.engine.older_stores import connected, opened, restore
from tests.integration.store.filling import Stores

NOON = datetime(2026, 3, 10, 12, 0, tzinfo=UTC)
OLD, NEW = f"sha256:{'a' * 64}", f"sha256:{'b' * 64}"
BASE = {"registry": "mcr.microsoft.com", "repository": "dotnet/aspnet", "tag": "10.0"}
URL = "https://feeds.example/releases-index.json"


def observed(digest: str) -> dict[str, Any]:
    """As the first version wrote it: layers by twelve digits, no `diff_ids`."""
    platform = {"platform": "linux/amd64", "digest": digest, "created": None, "os": "noble", "layers": ["c" * 12]}
    at = NOON.isoformat()
    return {"at": at, "base": BASE, "digest": digest, "version": "10.0.5", "created": None, "platforms": [platform]}


CHANGE = {
    "base": BASE,
    "at": NOON.isoformat(),
    "from_digest": OLD,
    "to_digest": NEW,
    "cause": "dotnet-release",
    "cause_at_detection": "dotnet-unknown",
    "platforms": ["linux/amd64"],
}
REFERENCE = {"name": "mcr.microsoft.com/dotnet/aspnet", "tag": "10.0", "digest": OLD}
USAGE = {
    "path": "Dockerfile",
    "kind": "dockerfile",
    "line": 1,
    "reference": REFERENCE,
    "role": "final-stage",
    "span": {"start": 5, "end": 80},
}
LEASED = {"due_at": NOON, "attempts": 0}
RELEASE = {"channel": "10.0", "version": "10.0.5", "published_at": NOON.isoformat()}
ADVISORY = {
    "cve": "CVE-2026-1",
    "severity": "high",
    "evidence": [{"source": "msrc", "locator": "CVE-2026-1", "seen_at": NOON.isoformat()}],
}
ROWS: list[tuple[str, dict[str, Any]]] = [
    ("chores", {"name": "list repositories", "mark": None, **LEASED}),
    (
        "repositories",
        {
            "name": "contoso/shop",
            "default_branch": "main",
            "pushed_at": NOON,
            "tree": "tree-1",
            "listed": True,
            "config": {},
            "workflows": [],
            "problems": [],
            "read_at": NOON,
            **LEASED,
        },
    ),
    ("blobs", {"sha": "b1", "body": zlib.compress(b"FROM a")}),
    ("bases", {**BASE, "digest": NEW, "version": "10.0.5", "moved_at": NOON, "observation_id": 2, **LEASED}),
    ("usages", {"repository_id": 1, "base_id": 1, "usage": USAGE}),
    (
        "observations",
        {"base_id": 1, "at": NOON, "digest": OLD, "sight": "first", "observation": observed(OLD), "assessed": True},
    ),
    (
        "observations",
        {
            "base_id": 1,
            "previous_id": 1,
            "at": NOON,
            "digest": NEW,
            "sight": "moved",
            "observation": observed(NEW),
            "assessed": True,
        },
    ),
    ("manifests", {"digest": NEW, "body": zlib.compress(b"{}"), "fetched_at": NOON}),
    (
        "documents",
        {
            "url": URL,
            "kind": FeedKind.DOTNET_INDEX.value,
            "body": zlib.compress(b"{}"),
            "fetched_at": NOON,
            "checked_at": NOON,
            **LEASED,
        },
    ),
    ("counters", {"name": "feeds", "value": 3}),
    ("releases", {"channel": "10.0", "version": "10.0.5", "published_at": NOON, "release": RELEASE}),
    ("advisories", {"source": "msrc", "cve": "CVE-2026-1", "advisory": ADVISORY}),
    ("rollouts", {"opened_at": NOON}),
    (
        "changes",
        {
            "base_id": 1,
            "from_observation": 1,
            "to_observation": 2,
            "at": NOON,
            "change": CHANGE,
            "cause": "dotnet-release",
            "assessed_at": NOON,
            "feeds_revision": 3,
            "planned": True,
            "rollout_id": 1,
        },
    ),
    (
        "rebuilds",
        {
            "rollout_id": 1,
            "repository_id": 1,
            "action": "pull_request",
            "state": "open",
            "reason": "opened",
            "targets": [{"base": BASE, "from_digest": OLD, "to_digest": NEW, "changes": [1]}],
            "replacements": [{"old": REFERENCE, "new": {**REFERENCE, "digest": NEW}}],
            "wave": "rest",
            "planned_at": NOON,
            "considered_at": NOON,
            "branch": "freshness/dotnet-aspnet-10.0",
            "pull_request": 7,
            "explained": 2,
            "worded": 1,
            **LEASED,
        },
    ),
    ("transitions", {"rebuild_id": 1, "at": NOON, "before": "planned", "after": "open", "reason": "opened"}),
    ("outbox", {"key": "rollout:1", "created_at": NOON, "wanted": 1, "told": 0, **LEASED}),
    ("incidents", {"subject": "watch:mcr.microsoft.com", "opened_at": NOON, "detail": "HTTP 503"}),
    (
        "notices",
        {
            "topic": "waiting-for-base",
            "base_id": 1,
            "since": NOON,
            "text": "waits",
            "toward": [BASE],
            "opened_at": NOON,
        },
    ),
]


def first_schema(url: str, revision: str = FIRST) -> Engine:
    """A database at its first revision, or another, as it was before any later one was written."""
    restore(FIRST, url)
    engine = connected(url)
    steps = steps_from(FIRST, migrations())
    assert steps is not None
    with engine.begin() as connection:
        take([step for step in steps if step[0] <= revision], connection)
    return engine


def fill(engine: Engine) -> None:
    tables = MetaData()
    tables.reflect(engine)
    with engine.begin() as connection:
        for name, row in ROWS:
            connection.execute(tables.tables[name].insert().values(**row))


async def test_a_database_of_the_first_schema_is_readable_as_a_whole(empty_url: str) -> None:
    engine = first_schema(empty_url)
    fill(engine)
    assert {name for name, _ in ROWS} == set(inspect(engine).get_table_names()) - {"alembic_version"}
    engine.dispose()

    async with opened(empty_url) as stores:
        await everything_is_read(stores)


async def everything_is_read(stores: Stores) -> None:
    base = Base(**BASE)
    status = await stores.fleet_views.status()
    assert [item.base for item in status.bases] == [base]
    assert [item.subject for item in status.incidents] == ["watch:mcr.microsoft.com"]
    assert [item.toward for item in status.notices] == [(base,)]
    explained = await stores.repository_views.explain("contoso/shop")
    assert [(step.before, step.after) for step in explained.transitions] == [("planned", "open")]
    assert [(used, digest) for _, used, digest in explained.usages] == [(base, NEW)]
    assert [change.cause for change, _ in await stores.base_views.changes_of("aspnet:10.0")] == [
        Cause.DOTNET_RELEASE
    ]
    history = (await stores.base_views.observations_of("aspnet:10.0"))[base]
    assert [(seen.platforms[0].layers, seen.platforms[0].diff_ids) for seen in history] == [(("c" * 12,), ())] * 2
    (job,) = await stores.jobs()
    assert (job.rebuild.pull_request, job.rebuild.facts_version, job.rebuild.text_version) == (7, 2, 1)
    assert job.rebuild.targets[0].changes == (1,)
    assert list(await stores.feeds.known_releases()) == ["10.0.5"]
    assert [advisory.cve for advisory in await stores.feeds.advisories()] == ["CVE-2026-1"]
    (feed,) = await stores.documents(frozenset({FeedKind.DOTNET_INDEX}))
    assert feed.document is not None
    assert feed.document.body == b"{}"
    assert await stores.assess.feeds_revision() == 3
    assert await stores.discover.known_blobs(["b1"]) == {"b1": b"FROM a"}
    assert await stores.watch.manifests([NEW]) == {NEW: b"{}"}
    assert len(await stores.listings()) == 1
    (repository,) = await stores.repositories()
    assert repository.name == "contoso/shop"
    (due,) = await stores.bases()
    assert (due.base, due.digest) == (base, NEW)
    assert [message.key for message in await stores.messages()] == ["rollout:1"]
    assert (await stores.report.rollout(1)).ended_at is None


async def test_what_waited_when_revisions_came_is_considered_once_more(empty_url: str) -> None:
    engine = first_schema(empty_url)
    fill(engine)
    with engine.begin() as connection:
        connection.execute(text("UPDATE rebuilds SET state = 'planned', due_at = '2026-03-12 12:00:00.000000'"))
    engine.dispose()
    async with opened(empty_url) as stores:
        assert [rebuild.id for rebuild, _ in await stores.plan.reconsiderable()] == [1]
        await stores.plan.save_reconsidered({1: Reconsidered(NOON, None)}, await stores.plan.revisions())
        assert await stores.plan.reconsiderable() == []


def kept_standing(strength: str, until: str | None = None) -> dict[str, Any]:
    shown = {"base": BASE, "at": NOON.isoformat(), "digest": OLD, "platform": "linux/amd64", "platform_digest": OLD}
    known = [{**shown, "until": until}] if strength != "unknown" else []
    return {"platform": "linux/amd64", "strength": strength, "basis": "layers", "publications": known, "layers": 2}


IMAGES: list[tuple[str, dict[str, Any]]] = [
    ("not-seen", {"error": "ghcr.io answers 403"}),
    ("current", {"digest": NEW, "standings": [kept_standing("proved")]}),
    ("claimed", {"digest": NEW, "standings": [kept_standing("proved"), kept_standing("claimed")]}),
    ("contradicted", {"digest": NEW, "standings": [kept_standing("proved"), kept_standing("contradicted")]}),
    ("unknown", {"digest": NEW, "standings": [kept_standing("proved"), kept_standing("unknown")]}),
    ("behind", {"digest": NEW, "standings": [kept_standing("proved", NOON.isoformat())], "behind_since": NOON}),
]


async def test_images_that_were_seen_before_states_were_kept_are_counted_and_proved_anew(
    empty_url: str,
) -> None:
    engine = first_schema(empty_url, "0025")
    tables = MetaData()
    tables.reflect(engine)
    repository = dict(ROWS[1][1])
    claim = {"registry": "ghcr.io", "tag": "latest", "source": "build", "path": "a.yml", "line": 1, **LEASED}
    with engine.begin() as connection:
        connection.execute(
            tables.tables["repositories"].insert().values(**{"id": 1, **repository, "name": "contoso/shop"})
        )
        for state, row in IMAGES:
            connection.execute(
                tables.tables["images"].insert().values(repository_id=1, repository=state, **claim, **row)
            )
    engine.dispose()
    async with opened(empty_url) as stores:
        found = await stores.images.images_of("contoso/shop")
        told = {state: "claimed" if state == "current" else state for state, _ in IMAGES}
        assert {image.claim.repository: image.state.value for image in found} == told
        assert sorted(await stores.column(images, "state")) == sorted(told.values())


async def test_what_is_known_of_an_image_stays_as_its_tags_get_rows_of_their_own(empty_url: str) -> None:
    engine = first_schema(empty_url, "0047")
    tables = MetaData()
    tables.reflect(engine)
    repository = {**ROWS[1][1], "id": 1, "name": "contoso/shop"}
    claim = {"registry": "ghcr.io", "repository": "contoso/golden", "source": "build", "path": "a.yml", "line": 1}
    with engine.begin() as connection:
        connection.execute(tables.tables["repositories"].insert().values(**repository))
        connection.execute(
            tables.tables["images"].insert().values(id=7, repository_id=1, tag="8.0", **claim, **LEASED)
        )
        gate = {"image_id": 7, "digest": NEW, "outcome": "blocked", **LEASED}
        connection.execute(tables.tables["gates"].insert().values(**gate))
        connection.execute(tables.tables["attestations"].insert().values(image_id=7, digest=NEW, **LEASED))
    engine.dispose()
    async with opened(empty_url) as stores:
        [image] = await stores.images.images_of("contoso/shop")
        assert (image.id, image.claim.tag.text) == (7, "8.0")
        assert await stores.column(gates, "outcome") == ["blocked"]
        assert await stores.column(attestations, "digest") == [NEW]


async def test_what_images_show_under_a_later_index_is_remembered_from_the_migration_on(empty_url: str) -> None:
    engine = first_schema(empty_url, "0048")
    tables = MetaData()
    tables.reflect(engine)
    claim = {"registry": "ghcr.io", "tag": "latest", "source": "build", "path": "a.yml", "line": 1, **LEASED}
    rows: list[tuple[str, dict[str, Any]]] = [("repositories", {**ROWS[1][1], "id": 1})]
    for number, first in ((1, OLD), (2, NEW)):
        of_platform = {"digest": f"sha256:{number:064}", "platform": "linux/amd64", "seen_at": NOON, **LEASED}
        shown = {"image_id": number, "platform": "linux/amd64", "inventory_id": number}
        look = {"inventory_id": number, "registry": "ghcr.io", "repository": f"contoso/{number}", **LEASED}
        image = {
            "id": number,
            "repository_id": 1,
            "repository": f"contoso/{number}",
            "digest": NEW,
            "seen_at": NOON,
        }
        rows += [
            ("images", {**claim, **image}),
            ("inventories", {"id": number, **of_platform}),
            ("image_inventories", shown),
            ("sbom_looks", {**look, "index_digest": first}),
        ]
    with engine.begin() as connection:
        for name, row in rows:
            connection.execute(tables.tables[name].insert().values(**row))
    engine.dispose()
    async with opened(empty_url) as stores, stores.database.reading() as connection:
        kept = (await connection.execute(select(later_indexes))).all()
    assert [tuple(row) for row in kept] == [(NEW, 1, NOON)]


async def test_places_that_were_read_before_their_times_were_kept_were_there_when_they_were_read(
    empty_url: str,
) -> None:
    engine = first_schema(empty_url, "0049")
    tables = MetaData()
    tables.reflect(engine)
    read = {"id": 1, **ROWS[1][1]}
    unread = {**read, "id": 2, "name": "contoso/other", "read_at": None}
    with engine.begin() as connection:
        connection.execute(tables.tables["repositories"].insert(), [read, unread])
        named = {"registry": "ghcr.io", "repository": "contoso/shop", "path": "a.yml", "line": 1}
        places = [{**named, "repository_id": number} for number in (1, 2)]
        connection.execute(tables.tables["deployments"].insert(), places)
    engine.dispose()
    async with opened(empty_url) as stores, stores.database.reading() as connection:
        kept = (await connection.execute(select(deployments.c.since, deployments.c.is_older))).all()
    assert [tuple(row) for row in kept] == [(NOON, True), (None, True)]


async def test_of_places_that_were_read_before_it_is_not_known_what_they_named_before(empty_url: str) -> None:
    engine = first_schema(empty_url, "0050")
    tables = MetaData()
    tables.reflect(engine)
    with engine.begin() as connection:
        connection.execute(tables.tables["repositories"].insert().values(id=1, **ROWS[1][1]))
        place = {"registry": "ghcr.io", "repository": "contoso/shop", "path": "a.yml", "line": 1, "since": NOON}
        connection.execute(tables.tables["deployments"].insert().values(repository_id=1, **place))
    engine.dispose()
    async with opened(empty_url) as stores, stores.database.reading() as connection:
        kept = (await connection.execute(select(deployments.c.since, deployments.c.named_before))).all()
    assert [tuple(row) for row in kept] == [(NOON, None)]


async def test_what_was_proved_by_a_signature_before_is_judged_again(empty_url: str) -> None:
    engine = first_schema(empty_url, "0052")
    tables = MetaData()
    tables.reflect(engine)
    seen = {"registry": "ghcr.io", "tag": "latest", "source": "build", "path": "a.yml", "line": 1, "due_at": NOON}
    told = {"platforms": [], "standings": [], "digest": OLD}
    with engine.begin() as connection:
        connection.execute(tables.tables["repositories"].insert().values(id=1, **ROWS[1][1]))
        for name, more in (
            ("built", {"builder": {"identity": "build.yml"}, "declared": {}}),
            ("standing", {"builder": None, "declared": {"": [{"basis": "verified provenance"}]}}),
            ("claimed", {"builder": None, "declared": {"": [{"basis": "label"}]}}),
        ):
            row = {"repository_id": 1, "repository": name, **seen, **told, **more}
            connection.execute(tables.tables["images"].insert().values(**row))
    engine.dispose()
    async with opened(empty_url) as stores, stores.database.reading() as connection:
        rows = await connection.execute(select(images.c.repository, images.c.judged_by))
        kept = {row.repository: row.judged_by for row in rows}
    assert {name: mark is not None for name, mark in kept.items()} == {
        "built": True,
        "standing": True,
        "claimed": False,
    }


async def test_what_images_show_again_is_noted_from_then_on(empty_url: str) -> None:
    first_schema(empty_url, "0051").dispose()
    async with opened(empty_url) as stores, stores.database.reading() as connection:
        assert (await connection.execute(select(shown_again))).all() == []


async def test_records_of_azure_linux_are_written_again_and_their_times_are_kept(empty_url: str) -> None:
    """Which packages they expose was written by another rule; since when they are known stays."""
    engine = first_schema(empty_url, "0052")
    tables = MetaData()
    tables.reflect(engine)
    with engine.begin() as connection:
        for number, name in enumerate(("Azure Linux", "Ubuntu"), 1):
            row = {"id": number, "ecosystem": name, "place": f"https://osv.example/{number}", "due_at": NOON}
            connection.execute(tables.tables["dumps"].insert().values(**row))
            record = {
                "dump_id": number,
                "name": "R-1",
                "content": "a",
                "title": "",
                "rated_by": "",
                "seen_at": NOON,
            }
            connection.execute(tables.tables["vulnerabilities"].insert().values(id=number, **record))
    engine.dispose()
    async with opened(empty_url) as stores, stores.database.reading() as connection:
        kept = (
            await connection.execute(
                select(dumps.c.ecosystem, vulnerabilities.c.content, vulnerabilities.c.seen_at)
                .join(dumps, dumps.c.id == vulnerabilities.c.dump_id)
                .order_by(dumps.c.id)
            )
        ).all()
    assert [tuple(row) for row in kept] == [("Azure Linux", "", NOON), ("Ubuntu", "a", NOON)]
