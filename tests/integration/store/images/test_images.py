"""Images as rows: claimed by repositories, due, seen, and told anew."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import pytest
from sqlalchemy import update

from bot.domain.bases.image import OCI_INDEX, Head
from bot.domain.bases.observation import NotJudged, Observation, PlatformImage, Sight, first_digits
from bot.domain.evidence import Strength
from bot.domain.images.claims import Claim, Source, TagRule
from bot.domain.images.image import Builder, ProducedImage, SeenImage
from bot.domain.images.named_bases import NamedBases
from bot.domain.images.standing import LAW, Basis, Doubt, ImageStanding, ImageState, Publication
from bot.domain.reference import Base, Reference
from bot.domain.repositories.repository import Reading, Repository
from bot.domain.repositories.usage import FileLine, Role
from bot.fleet.verify.images.judging import Observed
from bot.fleet.verify.images.ports import Below, Look, nothing_below
from bot.fleet.verify.images.tick import ImagesOptions, tick
from bot.fleet.watch.registry.ports import Sighting
from bot.reconcile.loop import Loop
from bot.store.rows.bases.tables import bases
from bot.store.rows.images.images import images
from bot.store.views.images import ImageViewsStore
from bot.views.images.image_pages import WantedImages
from bot.views.paging import Cut
from tests.integration.store.conftest import NOON, ON_BOTH
from tests.integration.store.filling import ASPNET, HOUR, Stores, digest, usage_of

CLAIM = Claim("ghcr.io/contoso/shop", TagRule("latest"), Source.BUILD, "build.yml", 7)
PLATFORM = PlatformImage("linux/amd64", digest("a"), layers=(digest("1"),))
STANDING = ImageStanding(
    "linux/amd64",
    Strength.PROVED,
    Basis.LAYERS,
    (Publication(ASPNET, NOON, digest("b"), "linux/amd64", digest("c"), NOON + HOUR),),
    2,
)


async def producing(stores: Stores, *claims: Claim, tree: str = "tree-1") -> None:
    usages = ((usage_of(ASPNET), ASPNET),)
    await stores.read(Reading(tree, usages, images=claims, deployed=(usage_of(ASPNET),)))


async def test_a_claimed_image_is_due_at_once_and_kept_as_it_was_seen(stores: Stores) -> None:
    await stores.listing(Repository("contoso/shop", "main"))
    await producing(stores, CLAIM)
    [claimed] = await stores.images.images.claim(NOON, 10)
    image = await stores.images.images.read(claimed)
    assert (image.repository, image.claim, image.digest) == ("contoso/shop", CLAIM, None)
    assert await stores.images.named_bases(image) == NamedBases((ASPNET,), (ASPNET,))
    seen = SeenImage(digest("d"), (PLATFORM,), sourced_from="contoso/shop", fetched={digest("d"): b"{}"})
    await stores.images.record_look(image, Look("latest", seen, (STANDING,)), NOON + HOUR)
    [kept] = await stores.images.images_of("contoso/shop")
    assert await stores.images.images_named("ghcr.io", "contoso/shop") == [kept]
    assert await stores.images.images_named("ghcr.io", "contoso/till") == []
    assert (kept.digest, kept.found_tag, kept.standings) == (digest("d"), "latest", (STANDING,))
    assert (kept.behind_since, kept.source, kept.doubt) == (NOON + HOUR, Source.LABEL, None)
    assert await stores.column(images, "state") == [kept.state.value] == ["behind"]
    assert await stores.watch.manifests([digest("d")]) == {digest("d"): b"{}"}
    [known] = await stores.images.known_images(0)
    assert (known.platforms, known.named_bases.final, await stores.images.known_images(known.id)) == (
        (PLATFORM,),
        (ASPNET,),
        [],
    )


async def test_what_of_an_image_was_not_judged_is_kept(stores: Stores) -> None:
    await stores.listing(Repository("contoso/shop", "main"))
    await producing(stores, CLAIM)
    [claimed] = await stores.images.images.claim(NOON, 10)
    image = await stores.images.images.read(claimed)
    assert image.not_judged == ()
    told = (NotJudged("windows/amd64 10.0.20348.2700", "stands beside images for Linux"),)
    seen = SeenImage(digest("d"), (PLATFORM, replace(PLATFORM, digest=digest("e"))), not_judged=told)
    await stores.images.record_look(image, Look("latest", seen, ()), NOON + HOUR)
    [kept] = await stores.images.images_of("contoso/shop")
    [known] = await stores.images.known_images(0)
    assert kept.not_judged == known.not_judged == told
    assert known.platforms == seen.platforms


async def test_an_image_that_was_not_looked_at_is_not_seen_and_one_that_tells_nothing_unknown(
    stores: Stores,
) -> None:
    await stores.listing(Repository("contoso/shop", "main"))
    await producing(stores, CLAIM)
    counted = await stores.image_pages.images(WantedImages(), Cut())
    assert {state: number for state, number in counted.states.items() if number} == {ImageState.NOT_SEEN: 1}
    [image] = await stores.images.images_of("contoso/shop")
    await stores.images.keep_look(image, Look("latest", SeenImage(digest("d"), (PLATFORM,)), ()))
    unknown = await stores.image_pages.images(WantedImages(state=ImageState.UNKNOWN), Cut())
    assert {state: number for state, number in unknown.states.items() if number} == {ImageState.UNKNOWN: 1}
    assert [row.state for row in unknown.images.items] == [ImageState.UNKNOWN]
    assert (await stores.figures.figures()).images == unknown.states


async def test_who_built_an_image_is_kept_and_counts_among_those_who_claim_it(stores: Stores) -> None:
    await stores.listing(Repository("contoso/shop", "main"))
    await producing(stores, CLAIM)
    [claimed] = await stores.images.images.claim(NOON, 10)
    builder = Builder("a workflow", 2, Strength.PROVED, "", "contoso/shop")
    seen = SeenImage(digest("d"), (PLATFORM,), builder=builder)
    image = await stores.images.images.read(claimed)
    await stores.images.record_look(image, Look("latest", seen, ()), NOON + HOUR)
    [kept] = await stores.images.images_of("contoso/shop")
    assert (kept.builder, kept.source) == (builder, Source.PROVENANCE)


class Signing:
    """A registry with one image, whose provenance is signed a while after it was pushed."""

    def __init__(self) -> None:
        self.builder: Builder | None = None
        self.is_wanted = True
        self.reads = 0

    async def head(self, base: Base) -> Head:
        return Head(digest("d"), OCI_INDEX)

    async def tags(self, registry: str, repository: str) -> Sequence[str]:
        return ()

    def wants_provenance(self, name: str) -> bool:
        return self.is_wanted

    async def published(self, publication: Publication) -> tuple[PlatformImage | None, dict[str, bytes]]:
        return None, {}

    async def unpacked(self, place: Base, layer: str) -> str | None:
        return None

    async def read(self, place: Base, digest: str, named: NamedBases, below: Below = nothing_below) -> SeenImage:
        self.reads += 1
        return SeenImage(digest, (PLATFORM,), builder=self.builder)


async def looked(stores: Stores, registry: Signing, days: int) -> ProducedImage:
    """The image after a look a day."""
    for _ in range(days):
        await tick(stores.images, registry, Observed(), ImagesOptions(24 * HOUR), Loop(stores.clock))
        stores.clock.move_to(stores.clock.now() + 24 * HOUR)
    [image] = await stores.images.images_of("contoso/shop")
    return image


async def test_provenance_that_is_signed_after_the_push_is_found_a_day_later(stores: Stores) -> None:
    await stores.listing(Repository("contoso/shop", "main"))
    await producing(stores, CLAIM)
    registry = Signing()
    assert (await looked(stores, registry, 1)).builder is None
    registry.builder = Builder("a workflow", 2, Strength.PROVED, "")
    image = await looked(stores, registry, 1)
    assert (image.builder, image.seen_at) == (registry.builder, NOON)


class Kept(Signing):
    """A registry that still has what a base showed long ago, whole."""

    def __init__(self, *, has_it: bool = True) -> None:
        super().__init__()
        self.is_wanted, self.has_it, self.asked = False, has_it, 0

    async def published(self, publication: Publication) -> tuple[PlatformImage | None, dict[str, bytes]]:
        self.asked += 1
        below = replace(PLATFORM, digest=publication.platform_digest)
        return (below, {digest("e"): b"{}"}) if self.has_it else (None, {})


async def remembered(stores: Stores) -> None:
    """A base is known by twelve digits of the layers that the image has."""
    await stores.listing(Repository("contoso/shop", "main"))
    await producing(stores, CLAIM)
    short = PlatformImage(
        "linux/amd64", digest("c"), layers=tuple(first_digits(layer) for layer in PLATFORM.layers)
    )
    [base] = await stores.bases(10)
    seen = Observation(NOON, base.base, digest("b"), platforms=(short,))
    await stores.watch.record([Sighting(base.id, Sight.FIRST, seen, NOON + HOUR)], {})


async def test_what_a_base_showed_long_ago_is_proved_by_its_whole_layers_once_and_for_all(stores: Stores) -> None:
    await remembered(stores)
    registry = Kept()
    image = await looked(stores, registry, 1)
    [standing] = image.standings
    assert (standing.strength, standing.publications[0].base) == (Strength.PROVED, ASPNET)
    assert await stores.watch.manifests([digest("e")]) == {digest("e"): b"{}"}
    # Another process, which reads all observations anew, and days without a move.
    image = await looked(stores, registry, 3)
    assert (image.standings[0].strength, registry.asked, registry.reads) == (Strength.PROVED, 1, 1)


async def test_what_its_registry_no_longer_has_stays_claimed_and_is_asked_for_again(stores: Stores) -> None:
    await remembered(stores)
    registry = Kept(has_it=False)
    assert (await looked(stores, registry, 1)).standings[0].strength is Strength.CLAIMED
    registry.has_it = True
    assert (await looked(stores, registry, 1)).standings[0].strength is Strength.PROVED


@pytest.mark.parametrize(("is_wanted", "reads"), [(True, 2), (False, 1)])
async def test_an_image_that_stays_without_provenance_is_read_once_more_only_where_some_is_wanted(
    is_wanted: bool, reads: int, stores: Stores
) -> None:
    await stores.listing(Repository("contoso/shop", "main"))
    await producing(stores, CLAIM)
    registry = Signing()
    registry.is_wanted = is_wanted
    await looked(stores, registry, 5)
    assert registry.reads == reads


async def test_unmoved_images_are_due_again_later(stores: Stores) -> None:
    await stores.listing(Repository("contoso/shop", "main"))
    await producing(stores, CLAIM)
    [claimed] = await stores.images.images.claim(NOON, 10)
    await stores.images.record_unmoved([await stores.images.images.read(claimed)], NOON + HOUR)
    assert await stores.images.images.claim(NOON, 10) == []
    [claimed] = await stores.images.images.claim(NOON + HOUR, 10)
    assert claimed.attempts == 1


async def test_where_nothing_stands_differently_nothing_is_saved(stores: Stores) -> None:
    await stores.listing(Repository("contoso/shop", "main"))
    await producing(stores, CLAIM)
    before = await stores.images.images_of("contoso/shop")
    await stores.images.save_standings({})
    assert await stores.images.images_of("contoso/shop") == before


async def test_images_follow_what_their_repository_claims(stores: Stores) -> None:
    await stores.listing(Repository("contoso/shop", "main"))
    await producing(stores, CLAIM)
    await stores.images.images.claim(NOON, 10)
    stores.clock.move_to(NOON + 25 * HOUR)
    await producing(stores, Claim("ghcr.io/contoso/other", TagRule("v*"), Source.PRODUCES), tree="tree-2")
    [image] = await stores.images.images_of("contoso/shop")
    assert image.claim.name == "ghcr.io/contoso/other"
    weak = replace(image.claim, weakness="its name or tag is a default")
    stores.clock.move_to(NOON + 50 * HOUR)
    await producing(stores, weak, tree="tree-3")
    [image] = await stores.images.images_of("contoso/shop")
    assert (image.claim, image.doubt) == (weak, "its name or tag is a default")
    [row] = (await stores.image_pages.images(WantedImages(), Cut())).images.items
    assert row.doubt == image.doubt


async def test_bases_are_known_by_what_they_show(stores: Stores) -> None:
    await stores.listing(Repository("contoso/shop", "main"))
    await producing(stores, CLAIM)
    assert await stores.images.shown_digests([ASPNET]) == {}
    await stores.see({ASPNET: "a"})
    assert await stores.images.shown_digests([ASPNET]) == {ASPNET: digest("a")}
    assert await stores.images.shown_digests([]) == {}
    [(number, seen)] = await stores.images.observations_since(0)
    assert (seen.base, await stores.images.observations_since(number)) == (ASPNET, [])


async def test_views_tell_where_an_image_is_run(stores: Stores) -> None:
    await stores.listing(Repository("contoso/shop", "main"))
    await producing(stores, Claim(ASPNET.name, TagRule("latest"), Source.BUILD))
    [view] = await stores[ImageViewsStore].views()
    assert [place.repository for place in view.deployed] == ["contoso/shop"]


GOLDEN = [replace(CLAIM, name="ghcr.io/contoso/golden", tag=TagRule(tag)) for tag in ("8.0", "9.0")]


async def test_tags_with_a_build_each_have_a_row_each_and_are_nobody_else_s(stores: Stores) -> None:
    await stores.listing(Repository("contoso/shop", "main"))
    await producing(stores, *GOLDEN)
    eight, nine = await stores.images.images_of("contoso/shop")
    assert [image.claim for image in (eight, nine)] == GOLDEN
    assert [image.doubt for image in (eight, nine)] == [None, None]
    await stores.images.keep_look(nine, Look("9.0", SeenImage(digest("d"), (PLATFORM,)), (STANDING,)))
    assert [image.digest for image in await stores.images.images_of("contoso/shop")] == [None, digest("d")]


async def test_another_tag_of_an_image_goes_on_with_its_row_and_one_that_is_built_no_more_is_forgotten(
    stores: Stores,
) -> None:
    await stores.listing(Repository("contoso/shop", "main"))
    await producing(stores, *GOLDEN)
    before = {image.claim.tag.text: image.id for image in await stores.images.images_of("contoso/shop")}
    ten = replace(GOLDEN[0], tag=TagRule("10.0"))
    stores.clock.move_to(NOON + 25 * HOUR)
    await producing(stores, ten, GOLDEN[1], tree="tree-2")
    after = {image.claim.tag.text: image.id for image in await stores.images.images_of("contoso/shop")}
    assert after == {"10.0": before["8.0"], "9.0": before["9.0"]}
    stores.clock.move_to(NOON + 50 * HOUR)
    await producing(stores, GOLDEN[1], tree="tree-3")
    assert [image.id for image in await stores.images.images_of("contoso/shop")] == [before["9.0"]]


async def test_a_tag_with_a_build_of_its_own_is_run_where_it_is_named_and_another_where_none_has_one(
    stores: Stores,
) -> None:
    await stores.listing(Repository("contoso/shop", "main"))
    deployed = tuple(
        replace(usage_of(Base("ghcr.io", "contoso/golden", tag)), path=f"{tag}.yaml")
        for tag in ("8.0", "9.0", "8.0.1")
    )
    await stores.read(Reading("tree-1", (), images=tuple(GOLDEN), deployed=deployed))
    run = {
        view.image.claim.tag.text: [each.path for each in view.deployed]
        for view in await stores[ImageViewsStore].views()
    }
    assert run == {"8.0": ["8.0.1.yaml", "8.0.yaml"], "9.0": ["8.0.1.yaml", "9.0.yaml"]}


async def test_the_images_of_one_repository_are_read_alone_as_among_all(stores: Stores) -> None:
    await stores.listing(Repository("contoso/shop", "main"), Repository("contoso/other", "main"))
    await stores.read(Reading("tree-1", (), images=tuple(GOLDEN), deployed=(usage_of(ASPNET),)))
    everything = await stores[ImageViewsStore].views()
    mine = [view for view in everything if view.image.repository == "contoso/shop"]
    assert await stores[ImageViewsStore].views("contoso/shop") == mine
    assert 0 < len(mine) < len(everything)


async def test_a_place_that_pins_what_one_tag_shows_runs_no_other(stores: Stores) -> None:
    """As `images` and the page of the image tell."""
    await stores.listing(Repository("contoso/shop", "main"))
    name = GOLDEN[0].name
    pinned = {"eight.yaml": Reference(name, None, digest("d")), "other.yaml": Reference(name, "10.0")}
    deployed = tuple(replace(usage_of(ASPNET, path), reference=named) for path, named in pinned.items())
    await stores.read(Reading("tree-1", (), images=tuple(GOLDEN), deployed=deployed))
    for row, letter in zip(await stores.images.images_of("contoso/shop"), "df", strict=True):
        look = Look(row.claim.tag.text, SeenImage(digest(letter), (PLATFORM,)), (STANDING,))
        await stores.images.keep_look(row, look)
    run = {
        view.image.claim.tag.text: [each.path for each in view.deployed]
        for view in await stores[ImageViewsStore].views()
    }
    assert run == {"8.0": ["eight.yaml", "other.yaml"], "9.0": ["other.yaml"]}
    page = await stores.image_pages.image(name, "https://forge.example")
    assert page is not None
    assert [(row.place.path, row.tags) for row in page.deployed] == [
        ("eight.yaml", ("8.0",)),
        ("other.yaml", ("8.0", "9.0")),
    ]
    assert page.deployment_count == 2
    assert page.deployed[0].url == "https://forge.example/contoso/shop/blob/main/eight.yaml#L1"


async def judged_before(stores: Stores) -> None:
    """An image that an earlier release has proved to be current."""
    await stores.listing(Repository("contoso/shop", "main"))
    await producing(stores, CLAIM)
    [image] = await stores.images.images_of("contoso/shop")
    [publication] = STANDING.publications
    current = replace(STANDING, publications=(replace(publication, until=None),))
    await stores.images.keep_look(image, Look("latest", SeenImage(digest("d"), (PLATFORM,)), (current,)))
    async with stores.database.transaction() as connection:
        await connection.execute(update(images).values(law=LAW - 1))


async def test_what_an_earlier_edition_of_the_law_proved_is_a_claim(stores: Stores) -> None:
    await judged_before(stores)
    [image] = await stores.images.images_of("contoso/shop")
    assert (image.state, image.standings[0].doubt) == (ImageState.CLAIMED, Doubt.EARLIER_LAW)
    [known] = await stores.images.known_images(0)
    assert known.standings == image.standings


async def test_it_is_read_again_at_its_next_look_and_not_before(stores: Stores) -> None:
    await judged_before(stores)
    registry = Rereading()
    for hours in (0, 1, 25, 50):
        stores.clock.move_to(NOON + hours * HOUR)
        await tick(stores.images, registry, Observed(), ImagesOptions(24 * HOUR), Loop(stores.clock))
    assert registry.read_at == ["latest"]
    [image] = await stores.images.images_of("contoso/shop")
    assert image.law == LAW


async def test_a_base_of_which_an_image_shows_an_unseen_build_is_looked_at_now(stores: Stores) -> None:
    await stores.listing(Repository("contoso/shop", "main"))
    await producing(stores, CLAIM)
    async with stores.database.transaction() as connection:
        await connection.execute(update(bases).values(due_at=NOON + HOUR))
    [image] = await stores.images.images_of("contoso/shop")
    unseen = replace(STANDING, built_from=ASPNET)
    await stores.images.keep_look(image, Look("latest", SeenImage(digest("d"), (PLATFORM,)), (unseen,)))
    assert await stores.column(bases, "due_at") == [NOON]


async def test_what_layers_were_seen_to_hold_is_kept(stores: Stores) -> None:
    await stores.listing(Repository("contoso/shop", "main"))
    await producing(stores, CLAIM)
    [image] = await stores.images.images_of("contoso/shop")
    read = Look("latest", SeenImage(digest("d"), (PLATFORM,)), (), {digest("1"): digest("2")})
    await stores.images.keep_look(image, read)
    await stores.images.keep_look(image, read)
    [(number, layer, content)] = await stores.images.unpacked_since(0)
    assert (layer, content) == (digest("1"), digest("2"))
    assert await stores.images.unpacked_since(number) == []


async def test_the_bases_of_an_image_are_those_of_the_file_that_builds_it(stores: Stores) -> None:
    sdk = replace(ASPNET, repository="dotnet/sdk")
    named = (
        (replace(usage_of(ASPNET), path="shop/Dockerfile"), ASPNET),
        (replace(usage_of(sdk), path="shop/Dockerfile", role=Role.BUILD_STAGE), sdk),
        (replace(usage_of(sdk), path="tools/Dockerfile"), sdk),
    )
    await stores.listing(Repository("contoso/shop", "main"))
    claim = replace(CLAIM, built_from="shop/Dockerfile")
    await stores.read(Reading("tree", named, images=(claim,)))
    [image] = await stores.images.images_of("contoso/shop")
    assert await stores.images.named_bases(image) == NamedBases((ASPNET,), (ASPNET, sdk))
    unknown = replace(image, claim=CLAIM)
    assert await stores.images.named_bases(unknown) == NamedBases((ASPNET, sdk), (ASPNET, sdk))


@ON_BOTH
async def test_a_base_that_a_build_hands_to_a_file_is_of_that_file_and_one_that_nobody_watches_is_told(
    stores: Stores,
) -> None:
    handed = replace(usage_of(ASPNET), path="build.yml", named_at=FileLine("shop/Dockerfile", 3))
    default = replace(usage_of(replace(ASPNET, registry="ghcr.io")), path="shop/Dockerfile")
    node = replace(default, reference=Reference("node", "22"))
    claim = replace(CLAIM, built_from="shop/Dockerfile")
    await stores.listing(Repository("contoso/shop", "main"))
    names = frozenset({default.reference.base.name, node.reference.base.name})
    await stores.read(Reading("tree", ((handed, ASPNET), (node, None)), images=(claim,), perhaps_own=names))
    [image] = await stores.images.images_of("contoso/shop")
    assert await stores.images.named_bases(image) == NamedBases((ASPNET,), (ASPNET,))
    read = Reading("tree 2", ((handed, ASPNET), (default, None)), images=(claim,), perhaps_own=names)
    stores.clock.move_to(NOON + 25 * HOUR)
    await stores.read(read)
    assert await stores.images.named_bases(image) == NamedBases((ASPNET,), (ASPNET,), is_open=True)


class Rereading:
    """A registry that still has what was seen before, and says what of it is read again."""

    def __init__(self) -> None:
        self.read_at: list[str] = []

    async def head(self, base: Base) -> Head:
        return Head(digest("d"), "")

    async def tags(self, registry: str, repository: str) -> Sequence[str]:
        return ()

    def wants_provenance(self, name: str) -> bool:
        return False

    async def read(self, place: Base, digest: str, named: NamedBases, below: Below = nothing_below) -> SeenImage:
        self.read_at.append(place.tag)
        return SeenImage(digest, (PLATFORM,))

    async def published(self, publication: Publication) -> tuple[PlatformImage | None, Mapping[str, bytes]]:
        return None, {}

    async def unpacked(self, place: Base, layer: str) -> str | None:
        return None


async def test_images_are_compared_anew_a_hundred_at_a_time(stores: Stores) -> None:
    await stores.listing(Repository("contoso/shop", "main"))
    await producing(stores, *(replace(CLAIM, name=f"ghcr.io/contoso/{each:03}") for each in range(101)))
    for image in await stores.images.images_of("contoso/shop"):
        await stores.images.keep_look(image, Look("latest", SeenImage(digest("d"), (PLATFORM,)), (STANDING,)))
    first = await stores.images.known_images(0)
    assert len(first) == 100
    assert len(await stores.images.known_images(first[-1].id)) == 1
