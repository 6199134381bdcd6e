"""`python -m tests.integration.store.contending URL NAME SEED SECONDS`: a replica with every stage busy at once, on
the rows that another such replica works on."""

import asyncio
import random
import sys
import time
from collections.abc import Awaitable, Callable, Collection, Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta

from bot.domain.bases.change import Move
from bot.domain.bases.incident import Incident
from bot.domain.bases.observation import Observation, PlatformImage, Sight
from bot.domain.clock import ManualClock
from bot.domain.failure import Failure, LeaseLost
from bot.domain.feeds.advisory import Release
from bot.domain.feeds.document import FeedKind, FeedSource, StoredDocument
from bot.domain.images.claims import Claim, Source, TagRule
from bot.domain.images.image import SeenImage
from bot.domain.reference import Base
from bot.domain.repositories.repository import Reading, Repository
from bot.domain.repositories.usage import Usage
from bot.domain.rollouts.journal import Word
from bot.domain.rollouts.rebuild import RebuildState
from bot.fleet.act.rows.act import ActStore
from bot.fleet.assess.rows import AssessStore
from bot.fleet.discover.ports import Listing
from bot.fleet.discover.rows.discover import DiscoverStore
from bot.fleet.follow.rows import FollowStore
from bot.fleet.plan.cascade import tick as cascade
from bot.fleet.plan.cascade.rows.cascade import CascadeStore
from bot.fleet.plan.cascade.shown import Stood
from bot.fleet.plan.quarantine import tick as quarantine
from bot.fleet.plan.quarantine.rows import QuarantineStore
from bot.fleet.plan.rows.plan import PlanStore
from bot.fleet.verify.images.ports import Look
from bot.fleet.verify.images.rows.images import ImagesStore
from bot.fleet.watch.feeds.rows import FeedsStore
from bot.fleet.watch.feeds.tick import FeedReading
from bot.fleet.watch.registry.ports import Poll, Sighting
from bot.fleet.watch.registry.rows import WatchStore
from bot.reconcile.work import Claimed
from bot.store.engine.database import open_database
from bot.store.engine.queue.leases import bring_forward, give_all_back
from bot.store.orders.orders import OrdersStore
from tests.integration.store.conftest import NOON
from tests.integration.store.filling import Stores, usage_of

BASES = [Base("mcr.microsoft.com", "dotnet/aspnet", f"{number}.0") for number in range(6)]
OWN = [Base("ghcr.io", f"contoso/image-{number}", "latest") for number in range(6)]
"""Images of the repositories, of which each builds two now and then, and stands on two."""
REPOSITORIES = [Repository(f"contoso/shop-{number}", "main", NOON - timedelta(days=9)) for number in range(8)]
FEEDS = [FeedSource(FeedKind.DOTNET_RELEASES, f"https://feeds.example/{number}.json") for number in range(4)]


class NoLayers:
    """Layers that tell nothing."""

    async def stood(self, asked: Mapping[Base, Collection[Base]]) -> Mapping[Base, Stood]:
        return {}


class Replica:
    """Its clock runs a minute with every step, so that much is due all the time."""

    def __init__(self, stores: Stores, seed: int) -> None:
        self.stores = stores
        self.random = random.Random(seed)

    def soon(self, most_minutes: int = 3) -> timedelta:
        return timedelta(minutes=self.random.randint(1, most_minutes))

    async def list_fleet(self) -> None:
        tasks = await self.stores.listings()
        if not tasks:
            return
        shown = [
            replace(item, pushed_at=self.stores.clock.now()) if self.random.random() < 0.5 else item
            for item in self.random.sample(REPOSITORIES, len(REPOSITORIES) - 2)
        ]
        trouble = self.random.choice([None, "few"])
        due = self.stores.clock.now() + self.soon()
        await self.stores[DiscoverStore].record_listing(tasks[0], Listing(tuple(shown), trouble=trouble), due)

    async def read(self) -> None:
        for repository in await self.stores.repositories(3):
            used: list[tuple[Usage, Base | None]] = [
                *((usage_of(base), base) for base in self.random.sample(BASES, 4))
            ]
            used += [(usage_of(base, "own/Dockerfile"), None) for base in self.random.sample(OWN, 2)]
            claims = tuple(
                Claim(base.name, TagRule("latest"), Source.BUILD, built_from=f"{base.repository}/Dockerfile")
                for base in self.random.sample(OWN, 2)
            )
            perhaps_own = frozenset(base.name for base in OWN)
            reading = Reading("tree", tuple(used), images=claims, perhaps_own=perhaps_own)
            await self.stores[DiscoverStore].save_reading(
                repository, reading, self.stores.clock.now() + self.soon()
            )

    async def watch(self) -> None:
        due = await self.stores.bases(6)
        self.random.shuffle(due)
        now = self.stores.clock.now()
        moved, still = due[: len(due) // 2], due[len(due) // 2 :]
        await self.stores[WatchStore].record(
            [
                Sighting(
                    each.id,
                    Sight.MOVED if each.digest else Sight.FIRST,
                    Observation(now, each.base, f"sha256:{self.random.randbytes(32).hex()}", "10.0.5"),
                    now + self.soon(),
                )
                for each in moved
            ],
            {f"sha256:{each.id}": b"{}" for each in moved},
        )
        await self.stores[WatchStore].reschedule([Poll(each.id, now + self.soon()) for each in still])
        troubles = [Incident(f"watch:{name}", now, "no answer") for name in self.random.sample("abcdef", 4)]
        await self.stores[WatchStore].save_incidents(troubles[:2], troubles[2:])

    async def read_feeds(self) -> None:
        await self.stores[FeedsStore].follow_feeds(FEEDS)
        now = self.stores.clock.now()
        for feed in await self.stores.documents(frozenset({FeedKind.DOTNET_RELEASES}), 4):
            releases = [Release("10.0", f"10.0.{number}", now) for number in self.random.sample(range(6), 4)]
            document = StoredDocument(feed.source.url, None, None, b"{}", now, now)
            leads_to = tuple(self.random.sample(FEEDS, 2))
            reading = FeedReading(feed.source, document, now + self.soon(), tuple(releases), leads_to=leads_to)
            await self.stores[FeedsStore].keep_feed(reading)

    async def assess(self) -> None:
        await self.stores.assess_all()
        revision = await self.stores[AssessStore].feeds_revision()
        earlier = list(await self.stores[AssessStore].reassessable(revision))
        self.random.shuffle(earlier)
        news = [Move(move.id, replace(move.change, cves=("CVE-2026-1",))) for move in earlier]
        await self.stores[AssessStore].save_reassessed([move.id for move in earlier], news, revision)

    async def plan(self) -> None:
        planned = await self.stores.planned(due_in=self.soon())
        if not planned.changes:
            return
        opened = [rollout.id for rollout in await self.stores[PlanStore].open_rollouts()]
        joined = self.random.choice(opened) if opened else None
        waiting = [rebuild.id for rebuild in await self.stores[PlanStore].open_rebuilds()]
        self.random.shuffle(waiting)
        rebuilds = tuple(
            replace(rebuild, supersedes=tuple(waiting) if number == 0 else ())
            for number, rebuild in enumerate(planned.rebuilds)
        )
        changes = list(planned.changes)
        self.random.shuffle(changes)
        await self.stores[PlanStore].save_plan(
            replace(planned, joins=joined, changes=tuple(changes), rebuilds=rebuilds)
        )

    async def act(self) -> None:
        for job in await self.stores.jobs(3):
            await self.stores[ActStore].jobs.renew([Claimed(job.rebuild.id, "", 1)], self.stores.clock.now())
            after = job.rebuild.moved(RebuildState.OPEN, "opened", at=self.stores.clock.now())
            await self.stores[ActStore].settle_rebuild(
                job.rebuild, replace(after, due_at=self.stores.clock.now() + self.soon())
            )

    async def follow(self) -> None:
        for rebuild in await self.stores.followed(3):
            after = rebuild.moved(RebuildState.SUCCEEDED, "merged", at=self.stores.clock.now())
            await self.stores[FollowStore].settle_rebuild(rebuild, after)

    async def look_at_images(self) -> None:
        some = await self.stores.taken(self.stores[ImagesStore].images, 6)
        self.random.shuffle(some)
        due = self.stores.clock.now() + self.soon()
        for image in some[:2]:
            await self.stores[ImagesStore].record_look(image, self.look(), due)
        for image in some[2:4]:
            await self.stores[ImagesStore].keep_look(image, self.look())
        if some[2:]:
            await self.stores[ImagesStore].record_unmoved(some[2:], due)
        known = list(await self.stores[ImagesStore].known_images(0))
        self.random.shuffle(known)
        await self.stores[ImagesStore].save_standings({image.id: image.standings for image in known})

    def look(self) -> Look:
        seen = PlatformImage("linux/amd64", f"sha256:{self.random.randbytes(32).hex()}")
        return Look("latest", SeenImage(f"sha256:{self.random.randbytes(32).hex()}", (seen,)), ())

    async def let_go(self) -> None:
        await cascade.tick(self.stores[CascadeStore], NoLayers(), self.stores.clock)

    async def quarantine(self) -> None:
        base, word = str(self.random.choice(BASES)), Word("Ann", "breaks us")
        with suppress(Failure):  # it may not have been seen yet
            await self.random.choice([self.stores[OrdersStore].quarantine, self.stores[OrdersStore].lift])(
                base, word
            )
        await quarantine.tick(self.stores[QuarantineStore])

    async def give_back(self) -> None:
        await give_all_back(self.stores.database, self.stores.worker)
        await bring_forward(self.stores.database, self.stores.clock.now())

    async def busy(self, work: Callable[[], Awaitable[None]], until: float) -> int:
        """How often the work was done: at least once, unless a lease is lost to the others for a minute."""
        done = 0
        while time.monotonic() < until + (60 if done == 0 else 0):
            self.stores.clock.advance(timedelta(minutes=1))
            try:
                await work()
                done += 1
            except LeaseLost:
                continue
            await asyncio.sleep(0)
        return done


async def main(url: str, name: str, seed: int, seconds: float) -> None:
    """Prints how often each stage came to its end."""
    database = await open_database(url)
    replica = Replica(Stores.of_worker(database, ManualClock(NOON), name), seed)
    stages = [
        replica.list_fleet,
        replica.read,
        replica.watch,
        replica.read_feeds,
        replica.assess,
        replica.plan,
        replica.act,
        replica.follow,
        replica.look_at_images,
        replica.let_go,
        replica.quarantine,
        replica.give_back,
    ]
    until = time.monotonic() + seconds
    done = await asyncio.gather(*(replica.busy(stage, until) for stage in stages))
    print({stage.__name__: number for stage, number in zip(stages, done, strict=True)})
    await database.close()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2], int(sys.argv[3]), float(sys.argv[4])))
