"""What becomes of a rebuild whose build is green, by what its images show and what is required of them."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, cast

import pytest

from bot.clients.registry import Registry
from bot.domain.bases.image import Head
from bot.domain.bases.observation import Observation, PlatformImage
from bot.domain.clock import ManualClock
from bot.domain.evidence import ImageVerdict, Strength
from bot.domain.failure import Failure, Trouble
from bot.domain.images.claims import Claim, Source, TagRule
from bot.domain.images.image import Builder, ProducedImage, SeenImage
from bot.domain.images.named_bases import NamedBases
from bot.domain.images.standing import Basis, ImageStanding, Publication
from bot.domain.images.trust import Lack, Trust
from bot.domain.reference import Base
from bot.domain.rollouts.rebuild import Joined, Merge, Rebuild, RebuildState, Target
from bot.domain.rollouts.terms import PathWorkflow
from bot.fleet.verify.images.judging import Observed
from bot.fleet.verify.images.ports import Below, ImagesPort, Look
from bot.fleet.verify.proving.required import ImageTrust, NothingRequired
from bot.fleet.verify.proving.tick import Proving, ProvingOptions, ProvingStore, tick
from bot.fleet.watch.registry.rows import WatchStore
from bot.fleet.wiring.registries.trust import Trusting
from bot.reconcile.loop import Loop
from bot.settings import Settings
from tests.builders import ASPNET, NOON, rebuild
from tests.fakes.queue import FakeQueue, Row
from tests.unit.images.standing.world import digest, image, shown

SHOP = ProducedImage(1, 1, "contoso/shop", Claim("ghcr.io/contoso/shop", TagRule("latest"), Source.BUILD))
CONTESTED = replace(SHOP, is_contested=True)
GOLDEN = Base("ghcr.io", "contoso/golden", "latest")


def stands_on(base: Base) -> tuple[ImageStanding, ...]:
    """What an image of one platform was seen to stand on."""
    seen = Publication(base, NOON, digest("index"), "linux/amd64", digest("platform"))
    return (ImageStanding("linux/amd64", Strength.PROVED, Basis.LAYERS, (seen,), 2),)


ON_ANOTHER = replace(SHOP, standings=stands_on(GOLDEN))
"""An image that is known to stand on something else than what its rebuild is for."""
BEFORE, PUSHED = digest("before"), digest("pushed")
HOUR = timedelta(hours=1)
HOURS_2 = timedelta(hours=2, minutes=1)


@dataclass
class Signatures:
    """Asks for the signature of every image; what each digest lacks, where it lacks anything."""

    lacking: Mapping[str, Lack] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    def requires(self, name: str) -> bool:
        return True

    async def lack(self, place: Base, seen: SeenImage) -> Lack | None:
        self.asked.append(seen.digest)
        return self.lacking.get(seen.digest)


UNSIGNED = Lack("built, but it is not signed", may_come=True)


def _is_proving(row: Row[Proving]) -> bool:
    return isinstance(row.item, Proving) and row.item.rebuild.state is RebuildState.PROVING


@dataclass
class World:
    """One rebuild that was built at noon, with a step to go, and a registry in which tags show digests."""

    targets: tuple[Target, ...] = (Target(ASPNET, "sha256:a", shown(image("os", "aspnet")).digest or "", (1,)),)
    images: tuple[ProducedImage, ...] = (SHOP,)
    shows: dict[str, str] = field(default_factory=dict)
    layers: tuple[str, ...] = ("os", "aspnet", "app")
    builder: Builder | None = None
    unseen: str = ""
    observations: list[Observation] = field(default_factory=lambda: [shown(image("os", "aspnet"))])
    proving: FakeQueue[Proving] = field(default_factory=lambda: FakeQueue(is_wanted=_is_proving))
    clock: ManualClock = field(default_factory=lambda: ManualClock(NOON))
    observed: Observed = field(default_factory=Observed)
    told: dict[str, Any] = field(default_factory=dict)
    """What else is known of the rebuild."""
    failing: dict[str, Failure] = field(default_factory=dict)
    """What registries say instead of showing an image, by its name."""
    asked: list[Base] = field(default_factory=list)

    def __post_init__(self) -> None:
        known: dict[str, Any] = {
            "state": RebuildState.PROVING,
            "steps": 1,
            "built_at": NOON,
            "attempted_at": NOON,
            "reason": "built",
        }
        built = rebuild(targets=self.targets, **known | self.told)
        self.proving.add(Proving(built, self.images, ()), NOON)

    async def look(self, trust: ImageTrust, after: timedelta = timedelta(0)) -> Rebuild:
        """What became of it at that time after the build."""
        self.clock.move_to(NOON + after)
        store, registries = cast(ProvingStore, self), cast(ImagesPort, self)
        await tick(store, registries, self.observed, ProvingOptions(), Loop(self.clock), trust=trust)
        return self.proving[1].rebuild

    async def observations_since(self, last: int) -> Sequence[tuple[int, Observation]]:
        return [(number, each) for number, each in enumerate(self.observations, 1) if number > last]

    async def settle_rebuild(self, before: Rebuild, after: Rebuild, *, succeeded: bool = True) -> None:
        self.proving.settle(1, after.due_at, replace(self.proving[1], rebuild=after))

    async def keep_look(self, image: ProducedImage, look: Look) -> None:
        known = replace(image, found_tag=look.tag, digest=look.image.digest, seen_at=self.clock.now())
        others = tuple(known if each.id == image.id else each for each in self.proving[1].images)
        self.proving[1] = replace(self.proving[1], images=others)

    async def named_bases(self, image: ProducedImage) -> NamedBases:
        named = tuple(target.base for target in self.targets)
        return NamedBases(named, named)

    async def runtimes_inside(self, digests: Collection[str]) -> Mapping[str, tuple[str, ...]]:
        return {}

    async def unpacked_since(self, last: int) -> Sequence[tuple[int, str, str]]:
        return ()

    async def head(self, base: Base) -> Head:
        self.asked.append(base)
        if base.name in self.failing:
            raise self.failing[base.name]
        if base.name not in self.shows:
            raise Failure(Trouble.MISSING, "no such tag", where=str(base))
        return Head(self.shows[base.name], "")

    async def read(self, place: Base, digest: str, named: NamedBases, below: Below) -> SeenImage:
        return SeenImage(digest, (image(*self.layers),), builder=self.builder, unseen=self.unseen)

    async def published(self, publication: Publication) -> tuple[PlatformImage | None, Mapping[str, bytes]]:
        return None, {}

    async def unpacked(self, place: Base, layer: str) -> str | None:
        raise AssertionError("nothing was packed anew")


def none_concerned(**values: object) -> World:
    """A rebuild for a base that its repository's only image is known not to stand on."""
    known = replace(ON_ANOTHER, digest=BEFORE, found_tag="latest", seen_at=NOON - timedelta(days=3))
    return World(images=(known,), **values)  # type: ignore[arg-type]


async def test_an_image_of_which_it_is_not_known_who_produces_it_is_not_taken_for_signed() -> None:
    after = await World(images=(CONTESTED,)).look(Signatures())
    assert (after.state, after.proof) == (RebuildState.FAILED, ImageVerdict.UNTRUSTED)
    assert after.reason == (
        "built, but it cannot be told whether ghcr.io/contoso/shop:latest is signed as trust.rules require, which "
        "is as good as not: another repository says that it produces this image; say in the settings under images "
        "who produces it"
    )


async def test_where_nothing_is_required_its_steps_begin_unproven() -> None:
    after = await World(images=(CONTESTED,)).look(NothingRequired())
    assert (after.state, after.proof) == (RebuildState.STEPPING, ImageVerdict.UNKNOWN)


async def test_one_that_stands_on_something_else_is_not_looked_at_where_nothing_is_required() -> None:
    world = none_concerned()
    after = await world.look(NothingRequired())
    assert (after.state, after.proof, world.asked) == (RebuildState.STEPPING, ImageVerdict.UNKNOWN, [])


async def test_one_that_stands_on_something_else_has_to_be_signed_all_the_same() -> None:
    world = none_concerned(shows={SHOP.claim.name: PUSHED})
    trust = Signatures({PUSHED: UNSIGNED})
    assert (await world.look(trust)).state is RebuildState.PROVING
    after = await world.look(trust, timedelta(hours=1, minutes=1))
    assert (after.state, after.proof, after.reason) == (RebuildState.FAILED, ImageVerdict.UNTRUSTED, UNSIGNED.text)


async def test_so_has_one_of_a_rebuild_of_which_no_base_is_known() -> None:
    world = World(targets=(), shows={SHOP.claim.name: PUSHED})
    after = await world.look(Signatures({PUSHED: replace(UNSIGNED, may_come=False)}))
    assert (after.state, after.proof) == (RebuildState.FAILED, ImageVerdict.UNTRUSTED)


async def test_its_steps_begin_unproven_once_it_is_signed() -> None:
    world = none_concerned(shows={SHOP.claim.name: PUSHED})
    assert (await world.look(Signatures({PUSHED: UNSIGNED}))).state is RebuildState.PROVING
    after = await world.look(Signatures(), timedelta(minutes=4))
    assert (after.state, after.proof) == (RebuildState.STEPPING, ImageVerdict.UNKNOWN)


async def test_what_its_build_pushes_is_waited_for_before_anything_is_asked() -> None:
    world, trust = none_concerned(shows={SHOP.claim.name: BEFORE}), Signatures()
    assert (await world.look(trust, timedelta(hours=1, minutes=59))).state is RebuildState.PROVING
    assert trust.asked == []


@pytest.mark.parametrize(
    ("lacking", "state", "proof"),
    [
        ({BEFORE: UNSIGNED}, RebuildState.FAILED, ImageVerdict.UNTRUSTED),
        ({}, RebuildState.STEPPING, ImageVerdict.UNKNOWN),
    ],
)
async def test_where_nothing_is_pushed_in_time_what_its_tag_shows_counts(
    lacking: dict[str, Lack], state: RebuildState, proof: ImageVerdict
) -> None:
    world = none_concerned(shows={SHOP.claim.name: BEFORE})
    after = await world.look(Signatures(lacking), HOURS_2)
    assert (after.state, after.proof) == (state, proof)


async def test_one_that_is_not_there_in_time_is_not_taken_for_signed() -> None:
    world = none_concerned()
    assert (await world.look(Signatures())).state is RebuildState.PROVING
    after = await world.look(Signatures(), HOURS_2)
    assert (after.state, after.proof) == (RebuildState.FAILED, ImageVerdict.UNTRUSTED)
    assert after.reason.endswith("which is as good as not: no such image is there")


async def test_a_fresh_image_that_is_signed_goes_on() -> None:
    world, trust = World(shows={SHOP.claim.name: PUSHED}), Signatures()
    after = await world.look(trust)
    assert (after.state, after.proof, trust.asked) == (RebuildState.STEPPING, ImageVerdict.PROVED, [PUSHED])


@pytest.mark.parametrize(
    ("joined", "state"),
    [
        (None, RebuildState.PROVING),
        (Joined.IN_VAIN, RebuildState.PROVING),
        (Joined.FOLLOWED, RebuildState.SUPERSEDED),
    ],
)
async def test_a_run_of_others_that_pushes_nothing_is_not_waited_for_as_long(
    joined: Joined | None, state: RebuildState
) -> None:
    world = World(shows={SHOP.claim.name: BEFORE}, images=(replace(SHOP, digest=BEFORE),), told={"joined": joined})
    assert (await world.look(NothingRequired(), timedelta(minutes=14))).state is RebuildState.PROVING
    assert (await world.look(NothingRequired(), timedelta(minutes=16))).state is state


def red_part_again(tag: str = "latest") -> World:
    """A monorepo's cart, built again since it was red after the merge, and its shop, which was green then."""
    parts = (PathWorkflow(("shop/*",), "shop.yml", ("*/shop",)), PathWorkflow(("cart/*",), "cart.yml", ("*/cart",)))
    cart = replace(SHOP, id=2, claim=Claim("ghcr.io/contoso/cart", TagRule(tag), Source.BUILD))
    shop = replace(SHOP, claim=replace(SHOP.claim, tag=TagRule(tag)), digest=PUSHED, found_tag="latest")
    return World(
        images=(replace(shop, seen_at=NOON - timedelta(hours=1)), cart),
        shows={SHOP.claim.name: PUSHED, cart.claim.name: digest("cart")},
        told={"parts": parts, "workflow": "cart.yml", "run_number": 12, "built_commit": "c" * 40},
    )


@pytest.mark.parametrize("tag", ["latest", "{run_number}-{short_sha}"])
async def test_the_green_part_of_a_monorepo_is_not_awaited_anew_where_the_red_one_alone_was_built_again(
    tag: str,
) -> None:
    world = red_part_again(tag)
    assert (await world.look(NothingRequired())).proof is ImageVerdict.PROVED
    assert world.asked[0] == Base("ghcr.io", "contoso/shop", "latest")


@pytest.mark.parametrize(
    ("planned", "state"), [(NOON, RebuildState.STEPPING), (NOON - 3 * HOUR, RebuildState.PROVING)]
)
async def test_a_merge_whose_build_is_tried_again_counts_what_it_brought_before(
    planned: datetime, state: RebuildState
) -> None:
    """Several parts were red, and people have run them again; `planned` before the pull request, it was not."""
    world = red_part_again()
    known = world.proving[1]
    again = replace(
        known.rebuild,
        workflow=None,
        planned_at=planned,
        attempted_at=NOON - 2 * HOUR,
        merge=Merge("c" * 40, "C_1", NOON),
    )
    world.proving[1] = replace(known, rebuild=again)
    assert (await world.look(NothingRequired())).state is state


def beside_another(shows: str) -> World:
    """A rebuild whose image is fresh; the repository's other image stands on something else, and shows `shows`."""
    other = replace(
        ON_ANOTHER,
        id=2,
        claim=Claim("ghcr.io/contoso/tool", TagRule("latest"), Source.BUILD),
        digest=BEFORE,
        found_tag="latest",
        seen_at=NOON - timedelta(days=3),
    )
    return World(images=(SHOP, other), shows={SHOP.claim.name: PUSHED, other.claim.name: shows})


OTHER_PUSHED = digest("pushed beside it")


async def test_another_image_that_the_build_has_pushed_must_be_signed_too() -> None:
    trust = Signatures({OTHER_PUSHED: UNSIGNED})
    world = beside_another(OTHER_PUSHED)
    assert (await world.look(trust)).state is RebuildState.PROVING
    after = await world.look(trust, timedelta(hours=1, minutes=1))
    assert (after.state, after.proof, after.reason) == (RebuildState.FAILED, ImageVerdict.UNTRUSTED, UNSIGNED.text)


async def test_another_image_that_the_build_has_pushed_and_signed_goes_on() -> None:
    trust = Signatures()
    after = await beside_another(OTHER_PUSHED).look(trust)
    assert (after.proof, trust.asked) == (ImageVerdict.PROVED, [PUSHED, OTHER_PUSHED])


async def test_another_image_that_the_build_did_not_touch_is_not_asked_about() -> None:
    trust = Signatures({BEFORE: UNSIGNED})
    after = await beside_another(BEFORE).look(trust)
    assert (after.state, after.proof, trust.asked) == (RebuildState.STEPPING, ImageVerdict.PROVED, [PUSHED])


async def test_another_image_that_its_registry_does_not_show_to_us_proves_nothing_of_this_one() -> None:
    """The build may not have touched it, and what it has touched is fresh and signed."""
    world, trust = beside_another(OTHER_PUSHED), Signatures()
    world.failing["ghcr.io/contoso/tool"] = Failure(Trouble.DENIED, "is not shown to us (403)")
    after = await world.look(trust)
    assert (after.state, after.proof, trust.asked) == (RebuildState.STEPPING, ImageVerdict.PROVED, [PUSHED])
    assert (
        "whether ghcr.io/contoso/tool:latest was pushed too, and is signed as trust.rules require, cannot be told: "
        "is not shown to us (403)"
    ) in after.reason


async def test_another_image_that_was_seen_since_the_build_began_has_to_be_shown() -> None:
    world = beside_another(OTHER_PUSHED)
    known = world.proving[1]
    touched = replace(known.images[1], digest=OTHER_PUSHED, seen_at=NOON)
    world.proving[1] = replace(known, images=(known.images[0], touched))
    world.failing["ghcr.io/contoso/tool"] = Failure(Trouble.DENIED, "is not shown to us (403)")
    after = await world.look(Signatures())
    assert (after.state, after.proof) == (RebuildState.FAILED, ImageVerdict.UNTRUSTED)


async def test_another_image_that_is_not_told_just_now_is_asked_for_again() -> None:
    world = beside_another(OTHER_PUSHED)
    world.failing["ghcr.io/contoso/tool"] = Failure(Trouble.UNREACHABLE, "no answer")
    assert (await world.look(Signatures())).state is RebuildState.PROVING


async def test_the_image_that_the_rebuild_is_for_has_to_be_shown_where_it_must_be_signed() -> None:
    world = beside_another(BEFORE)
    world.failing["ghcr.io/contoso/shop"] = Failure(Trouble.DENIED, "is not shown to us (403)")
    after = await world.look(Signatures())
    assert (after.state, after.proof) == (RebuildState.FAILED, ImageVerdict.UNTRUSTED)


async def test_another_image_is_not_looked_at_where_nothing_is_required() -> None:
    world = beside_another(OTHER_PUSHED)
    await world.look(NothingRequired())
    assert [base.name for base in world.asked] == [SHOP.claim.name]


@pytest.mark.parametrize(
    ("told", "tag"),
    [
        ({"run_number": 12, "built_commit": "c" * 40}, "12-ccccccc"),
        ({"run_number": 12, "merge": Merge("m" * 40, "C_1", NOON)}, "12-mmmmmmm"),
        ({"run_number": 12, "built_commit": "c" * 40, "merge": Merge("m" * 40, "C_1", NOON)}, "12-ccccccc"),
    ],
)
async def test_a_tag_made_of_run_and_commit_is_looked_at_by_name(told: dict[str, Any], tag: str) -> None:
    numbered = replace(SHOP, claim=replace(SHOP.claim, tag=TagRule("{run_number}-{short_sha}")))
    world = World(images=(numbered,), shows={SHOP.claim.name: PUSHED}, told=told)
    assert (await world.look(NothingRequired())).proof is ImageVerdict.PROVED
    assert world.asked == [Base("ghcr.io", "contoso/shop", tag)]


def upon_golden(seen: Sequence[Observation]) -> World:
    """A build that made golden and, upon it, the shop; the watch has observed of golden what is `seen`."""
    golden = replace(SHOP, id=2, claim=Claim(GOLDEN.name, TagRule("latest"), Source.BUILD))
    golden = replace(golden, standings=stands_on(ASPNET))
    made = shown(image("os", "aspnet", "gold"), base=GOLDEN)
    return World(
        targets=(Target(GOLDEN, "sha256:a", made.digest or "", (1,)),),
        images=(SHOP, golden),
        shows={SHOP.claim.name: PUSHED, GOLDEN.name: made.digest or ""},
        layers=("os", "aspnet", "gold", "app"),
        observations=[shown(image("os", "aspnet")), *seen],
    )


async def test_a_base_that_the_same_build_made_anew_is_observed_before_what_stands_on_it_is_judged() -> None:
    world = upon_golden([])
    waiting = await world.look(NothingRequired())
    assert (waiting.state, waiting.due_at) == (RebuildState.PROVING, NOON + timedelta(minutes=2))
    world.observations.append(shown(image("os", "aspnet", "gold"), base=GOLDEN))
    after = await world.look(NothingRequired(), timedelta(minutes=2))
    assert (after.state, after.proof) == (RebuildState.STEPPING, ImageVerdict.PROVED), after.reason


async def test_a_base_that_was_observed_is_not_waited_for() -> None:
    world = upon_golden([shown(image("os", "aspnet", "gold"), base=GOLDEN)])
    assert (await world.look(NothingRequired())).proof is ImageVerdict.PROVED


async def test_one_that_the_watch_never_observes_is_waited_for_and_fails_nothing() -> None:
    world = upon_golden([])
    assert (await world.look(NothingRequired())).state is RebuildState.PROVING
    after = await world.look(NothingRequired(), HOURS_2)
    assert (after.state, after.proof) == (RebuildState.STEPPING, ImageVerdict.UNKNOWN)
    assert "a build of golden:latest that was not seen, over aspnet:10.0" in after.reason


class SignedBySomebody(Trusting):
    """The settings' rules, where all signatures hold."""

    async def trust(self, base: Base, digest: str, *, of_base: bool = False) -> Trust | None:
        return Trust(Strength.PROVED, "signed")


@pytest.fixture
def demanding(tmp_path: Path) -> ImageTrust:
    """SLSA build level 3 is required of all images of the organisation."""
    rule = {"match": ["ghcr.io/contoso/*"], "mode": "require", "key": str(tmp_path / "key.pub"), "slsa_level": 3}
    settings = Settings.model_validate({"trust": {"rules": [rule]}})
    clock = ManualClock(NOON)
    return SignedBySomebody(settings, cast(Registry, None), cast(WatchStore, None), clock)


def built_by(level: int) -> Builder:
    return Builder("build.yml", level, Strength.PROVED, "its caller could reach in", "contoso/shop")


async def test_a_builder_of_the_level_that_is_required_is_enough(demanding: ImageTrust) -> None:
    after = await World(shows={SHOP.claim.name: PUSHED}, builder=built_by(3)).look(demanding)
    assert (after.state, after.proof) == (RebuildState.STEPPING, ImageVerdict.PROVED)


@pytest.mark.parametrize("images", [(SHOP,), (ON_ANOTHER,)])
async def test_a_builder_of_a_lower_level_fails_the_rebuild_at_once(
    demanding: ImageTrust, images: tuple[ProducedImage, ...]
) -> None:
    after = await World(images=images, shows={SHOP.claim.name: PUSHED}, builder=built_by(2)).look(demanding)
    assert (after.state, after.proof) == (RebuildState.FAILED, ImageVerdict.UNTRUSTED)
    assert "SLSA build level 3 is required, and it is built by build.yml of contoso/shop" in after.reason


async def test_provenance_that_is_not_there_yet_is_waited_for_and_then_missed(demanding: ImageTrust) -> None:
    world = World(shows={SHOP.claim.name: PUSHED})
    assert (await world.look(demanding, timedelta(minutes=59))).state is RebuildState.PROVING
    after = await world.look(demanding, timedelta(minutes=62))
    assert (after.state, after.proof) == (RebuildState.FAILED, ImageVerdict.UNTRUSTED)
    assert "which cannot be told: it has no provenance" in after.reason


async def test_provenance_that_may_lie_behind_what_was_looked_at_is_told_so(demanding: ImageTrust) -> None:
    unseen = "ghcr.io/contoso/shop has 51 artifacts, of which 50 were looked at"
    world = World(shows={SHOP.claim.name: PUSHED}, unseen=unseen)
    after = await world.look(demanding, timedelta(minutes=62))
    assert after.proof is ImageVerdict.UNTRUSTED
    assert after.reason.endswith(f"; or look among the rest: {unseen}"), after.reason


async def test_provenance_that_comes_in_time_is_read(demanding: ImageTrust) -> None:
    world = World(shows={SHOP.claim.name: PUSHED})
    assert (await world.look(demanding)).state is RebuildState.PROVING
    world.builder = built_by(3)
    assert (await world.look(demanding, timedelta(minutes=4))).proof is ImageVerdict.PROVED


async def test_weak_evidence_for_an_image_neither_proves_nor_fails_its_rebuild() -> None:
    reason = "its name or tag is the default of TAG in docker-bake.hcl, and nothing is found here that builds it"
    weak = replace(SHOP, claim=replace(SHOP.claim, weakness=reason))
    ended = await World(images=(weak,), told={"steps": 0}).look(NothingRequired(), HOURS_2)
    assert (ended.state, ended.proof) == (RebuildState.BUILT, ImageVerdict.UNKNOWN)
    assert ended.reason.startswith(f"built, not proven: ghcr.io/contoso/shop: {reason}")


async def test_the_tag_that_a_rebuild_is_for_proves_it_beside_another_with_a_build_of_its_own() -> None:
    eight, nine = (
        replace(SHOP, id=number, claim=replace(SHOP.claim, tag=TagRule(tag)))
        for number, tag in ((1, "8.0"), (2, "9.0"))
    )
    world = World(
        images=(replace(eight, standings=stands_on(GOLDEN)), replace(nine, standings=stands_on(ASPNET))),
        shows={SHOP.claim.name: PUSHED},
    )
    after = await world.look(NothingRequired())
    assert (after.state, after.proof) == (RebuildState.STEPPING, ImageVerdict.PROVED)
    assert {base.tag for base in world.asked} == {"9.0"}
