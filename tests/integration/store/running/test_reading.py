"""What runs and is built by nobody that is known: told, and read once where its registry is one of the settings."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from bot.domain.bases.observation import PlatformImage
from bot.domain.failure import Failure, Trouble
from bot.domain.reference import Base
from bot.domain.running.exposure import Asked, PlaceState
from bot.domain.running.snapshot import RunningContainer
from bot.fleet.running.reading import tick
from bot.reconcile.loop import Loop
from bot.store.pages.running.places import RunningPlacesStore
from bot.store.rows.running.running import running_reads
from bot.views.paging import Cut
from bot.views.running.exposed import ExposureAnswer, Narrowed
from tests.integration.store.conftest import ON_BOTH
from tests.integration.store.filling import HOUR, Stores, digest
from tests.integration.store.holding import CVE, FIXED, SSL, publish, shows, told
from tests.integration.store.running.snapshots import EUROPE, WEB, tells

HOSTS = {"ghcr.io"}
PROXY = "ghcr.io/others/proxy:1"


@dataclass
class FakeRegistries:
    """Shows these, and remembers what was asked."""

    answer: Sequence[PlatformImage] | Failure = (shows("8"),)
    asked: list[str] = field(default_factory=list)

    async def platforms(self, place: Base, digest: str) -> Sequence[PlatformImage]:
        self.asked.append(f"{place.name}@{digest}")
        if isinstance(self.answer, Failure):
            raise self.answer
        return self.answer


async def runs_proxy(stores: Stores, letter: str = "9", image: str = PROXY) -> None:
    await tells(stores, RunningContainer(WEB, image, digest(letter), None, 0, 1))


async def reads(stores: Stores, registries: FakeRegistries) -> list[str]:
    """A pass of the stage; what hindered it."""
    _, problems = await tick(stores.running, registries, HOSTS, Loop(stores.clock))
    await stores.running.match()
    return problems


async def exposure(stores: Stores) -> ExposureAnswer:
    return await stores.exposure.exposure(CVE, Asked(stores.clock.now()), Narrowed())


async def published(stores: Stores) -> None:
    await stores.running.follow([EUROPE])
    await runs_proxy(stores)
    await publish(stores)
    await runs_proxy(stores)


@ON_BOTH
async def test_it_is_read_at_first_sight_and_its_packages_are_judged(stores: Stores) -> None:
    await published(stores)
    assert await reads(stores, FakeRegistries()) == []
    await told(stores, {"8": (SSL,)})
    [place] = (await exposure(stores)).places
    assert (place.state, place.builds[0].repository) == (PlaceState.EXPOSED, "")


async def test_what_one_digest_of_an_index_holds_is_told_of_its_platform_alone(stores: Stores) -> None:
    await published(stores)
    await runs_proxy(stores, "8")
    await reads(stores, FakeRegistries())
    await told(stores, {"8": (FIXED,)})
    [place] = (await exposure(stores)).places
    assert place.state is PlaceState.NOT_AFFECTED


async def test_each_digest_is_asked_for_once_however_often_it_runs(stores: Stores) -> None:
    registries = FakeRegistries()
    await runs_proxy(stores)
    await reads(stores, registries)
    await runs_proxy(stores, "7")
    await runs_proxy(stores, "9")
    stores.clock.advance(25 * HOUR)
    await reads(stores, registries)
    assert registries.asked == [f"ghcr.io/others/proxy@{digest('9')}"]


async def test_a_registry_that_settings_do_not_name_is_never_asked(stores: Stores) -> None:
    registries = FakeRegistries()
    await runs_proxy(stores, image="docker.io/library/nginx:1")
    await runs_proxy(stores, "7", image="nginx")
    await runs_proxy(stores, "6", image="Not An Image")
    await reads(stores, registries)
    assert registries.asked == []
    assert await stores.count(running_reads) == 0


async def test_what_cannot_be_read_is_told_with_its_reason_and_tried_again(stores: Stores) -> None:
    await published(stores)
    registries = FakeRegistries(Failure(Trouble.MISSING, "is not there", where="ghcr.io"))
    [problem] = await reads(stores, registries)
    assert problem.startswith("what is inside ghcr.io/others/proxy@sha256:9")
    answer = await exposure(stores)
    assert [place.why for place in answer.places] == ["built by nobody we know: is not there"]
    registries.answer = (shows("8"),)
    stores.clock.advance(HOUR)
    assert await reads(stores, registries) == []
    assert len(registries.asked) == 2


async def test_what_is_no_image_is_not_asked_for_again(stores: Stores) -> None:
    registries = FakeRegistries(Failure(Trouble.MALFORMED, "is no manifest"))
    await runs_proxy(stores)
    await reads(stores, registries)
    stores.clock.advance(100 * HOUR)
    await runs_proxy(stores)
    await reads(stores, registries)
    assert len(registries.asked) == 1


async def test_what_stopped_is_not_asked_for(stores: Stores) -> None:
    registries = FakeRegistries(Failure(Trouble.UNREACHABLE, "no answer"))
    await runs_proxy(stores)
    await reads(stores, registries)
    await tells(stores)
    stores.clock.advance(HOUR)
    await reads(stores, registries)
    assert len(registries.asked) == 1


async def test_what_nobody_builds_counts_apart_among_what_is_not_read(stores: Stores) -> None:
    await published(stores)
    answer = await exposure(stores)
    assert answer.verdict == (
        "not known: nothing was read of what runs; 1 not read, 1 of them built by nobody we know"
    )
    assert answer.exit_code == 3
    now = await stores[RunningPlacesStore].running(Cut())
    assert now.verdict == "1 running place in 1 source; 1 of them run builds of nobody we know"
