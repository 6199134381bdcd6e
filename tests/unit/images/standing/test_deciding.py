from dataclasses import replace
from datetime import timedelta

from bot.domain.bases.observation import PlatformImage
from bot.domain.evidence import Strength
from bot.domain.images.standing import Basis, Doubt, ImageState
from bot.domain.reference import Base
from bot.images.provenance.slsa import Material, Provenance
from bot.images.standing.deciding import Witnesses, standing_of
from bot.images.standing.declared import (
    BASE_DIGEST,
    BASE_NAME,
    of_annotations,
    of_dockerfile,
    of_labels,
    of_provenance,
    stages_of,
)
from bot.images.standing.observed_layers import ObservedLayers
from tests.builders import ASPNET, NOON, SDK
from tests.unit.images.standing.world import digest, image, shown, stands

OLD, NEW = shown(image("os", "aspnet")), shown(image("os", "aspnet 2"), hours=24)
SQUASHED = image("all in one")


def provenance(*uris: tuple[str, str]) -> Provenance:
    materials = tuple(Material(uri, frozenset({named})) for uri, named in uris)
    return Provenance("", materials, Material("", frozenset()))


ASPNET_URI = "pkg:docker/mcr.microsoft.com/dotnet/aspnet@10.0?platform=linux%2Famd64"
SDK_URI = "pkg:docker/mcr.microsoft.com/dotnet/sdk@10.0?platform=linux%2Famd64"


def test_layers_win_over_whatever_is_said() -> None:
    observed = ObservedLayers([OLD, NEW])
    said = of_annotations({BASE_NAME: str(ASPNET), BASE_DIGEST: NEW.digest or ""})
    standing = stands(image("os", "aspnet", "own"), observed, [said], expected=[ASPNET])
    assert (standing.basis, standing.state, standing.layers) == (Basis.LAYERS, ImageState.BEHIND, 2)
    assert [each.digest for each in standing.publications] == [OLD.digest]
    assert standing.disagreement == f"its annotation names {ASPNET}, which its layers do not show"


def test_publications_known_by_twelve_digits_are_claimed_until_provenance_proves_one() -> None:
    short = shown(image("os", "aspnet", short=True))
    observed = ObservedLayers([short])
    built = image("os", "aspnet", "own")
    assert stands(built, observed).strength is Strength.CLAIMED
    said = of_provenance(provenance((ASPNET_URI, short.digest or "")), [ASPNET], is_verified=True)
    proved = stands(built, observed, [said])
    assert (proved.strength, proved.basis) == (Strength.PROVED, Basis.VERIFIED_PROVENANCE)


def test_without_layers_verified_provenance_comes_before_annotation_label_and_unsigned_provenance() -> None:
    observed = ObservedLayers([OLD, NEW])
    build = provenance((SDK_URI, digest("sdk")), (ASPNET_URI, NEW.digest or ""))
    verified = of_provenance(build, [ASPNET], is_verified=True)
    unsigned = of_provenance(build, [ASPNET], is_verified=False)
    annotation = of_annotations({BASE_DIGEST: OLD.platforms[0].digest})
    label = of_labels({BASE_DIGEST: NEW.platforms[0].digest})
    declared = [of_dockerfile(ASPNET), unsigned, label, annotation, verified]
    order = []
    for _ in range(4):
        standing = stands(SQUASHED, observed, declared, expected=[ASPNET])
        order.append((standing.basis, standing.strength))
        declared.pop()
    assert order == [
        (Basis.VERIFIED_PROVENANCE, Strength.PROVED),
        (Basis.ANNOTATION, Strength.CLAIMED),
        (Basis.LABEL, Strength.CLAIMED),
        (Basis.UNSIGNED_PROVENANCE, Strength.CLAIMED),
    ]


def test_the_text_of_a_dockerfile_names_a_base_and_no_digest() -> None:
    standing = stands(SQUASHED, ObservedLayers([OLD]), [of_dockerfile(ASPNET)])
    assert (standing.basis, standing.strength, standing.publications) == (Basis.DOCKERFILE, Strength.CLAIMED, ())
    assert standing.told(NOON) == f"{ASPNET}, claimed by its Dockerfile"


def test_a_label_that_came_with_the_base_says_nothing() -> None:
    inherited = {BASE_NAME: "docker.io/library/ubuntu:24.04", BASE_DIGEST: digest("ubuntu")}
    assert of_labels(inherited, inherited.items()) is None
    assert of_labels({**inherited, BASE_DIGEST: digest("other")}, inherited.items()) is not None


def test_provenance_of_several_images_counts_only_where_one_has_the_expected_name() -> None:
    build = provenance((SDK_URI, digest("sdk")), (ASPNET_URI, digest("aspnet")))
    assert of_provenance(build, [], is_verified=True) is None
    found = of_provenance(build, [SDK], is_verified=True)
    assert found is not None
    assert found.digests == {digest("sdk")}


def test_provenance_that_names_a_patch_is_of_the_tag_that_this_follows() -> None:
    patch = "pkg:docker/mcr.microsoft.com/dotnet/aspnet@10.0.4?platform=linux%2Famd64"
    build = provenance((SDK_URI, digest("sdk")), (patch, digest("aspnet")))
    found = of_provenance(build, [ASPNET], is_verified=True)
    assert found is not None
    assert (found.digests, found.named) == ({digest("aspnet")}, "mcr.microsoft.com/dotnet/aspnet:10.0.4")
    assert of_provenance(build, [replace(ASPNET, tag="9.0")], is_verified=True) is None


def test_nothing_said_is_unknown() -> None:
    standing = stands(SQUASHED, ObservedLayers([OLD]))
    assert standing.strength is Strength.UNKNOWN
    assert standing.told(NOON) == (
        "unknown: no base that was seen has its layers at the bottom of it (squashed, from scratch, or packed "
        "anew); provenance by a builder that is trusted would tell"
    )


def test_the_sentence_names_base_date_lag_and_proof() -> None:
    observed = ObservedLayers([OLD, NEW])
    standing = stands(image("os", "aspnet", "own"), observed, expected=[ASPNET])
    told = standing.told(NOON + timedelta(days=42))
    assert told == "aspnet:10.0 of 2026-03-10, 41 days behind, proved by 2 layers"
    current = stands(image("os", "aspnet 2", "own"), observed, expected=[ASPNET])
    assert current.told(NOON) == "aspnet:10.0 of 2026-03-11, current, proved by 2 layers"


def test_publications_that_look_alike_are_named_so() -> None:
    first = image("os", "aspnet", short=True)
    alike = replace(first, digest=digest("another config"))
    observed = ObservedLayers([shown(first), shown(alike, hours=48), shown(image("next"), hours=72)])
    standing = stands(image("os", "aspnet", "own"), observed, expected=[ASPNET])
    assert standing.is_ambiguous
    told = standing.told(NOON + timedelta(days=13))
    assert told == (
        "aspnet:10.0 of 2026-03-10 to 2026-03-12, one of several that look alike, 10 days behind, "
        "claimed by 2 layers, since the base was recorded with the first digits of its layers alone"
    )


def test_of_several_tags_the_expected_one_is_named_else_the_shortest() -> None:
    noble = Base(ASPNET.registry, ASPNET.repository, "10.0-noble")
    below = image("os", "aspnet")
    observed = ObservedLayers([shown(below), shown(below, base=noble)])
    built = PlatformImage(below.platform, digest("own"), layers=(*below.layers, digest("own")))
    assert [each.base for each in stands(built, observed, expected=[noble]).publications] == [noble]
    assert [each.base for each in stands(built, observed).publications] == [ASPNET]


SHORT = shown(image("os", "aspnet", short=True))


def test_an_annotation_that_agrees_with_layers_that_prove_nothing_proves_nothing() -> None:
    said = of_annotations({BASE_DIGEST: SHORT.digest or ""})
    standing = stands(image("os", "aspnet", "own"), ObservedLayers([SHORT]), [said], expected=[ASPNET])
    assert (standing.strength, standing.doubt) == (Strength.CLAIMED, Doubt.FEW_DIGITS)


def test_a_digest_that_nobody_has_seen_says_nothing_for_the_layers_or_against_them() -> None:
    built = image("os", "aspnet", "own")
    unseen = of_annotations({BASE_DIGEST: digest("unseen")})
    verified = of_provenance(provenance((ASPNET_URI, digest("unseen"))), [ASPNET], is_verified=True)
    for observed in (ObservedLayers([OLD]), ObservedLayers([SHORT])):
        alone = stands(built, observed, expected=[ASPNET])
        assert stands(built, observed, [unseen], expected=[ASPNET]) == alone
        assert stands(built, observed, [verified], expected=[ASPNET]) == alone


def test_of_publications_that_look_alike_provenance_proves_the_one_that_it_names() -> None:
    first = image("os", "aspnet", short=True)
    other = shown(replace(first, digest=digest("another config")), hours=48)
    said = of_provenance(provenance((ASPNET_URI, other.digest or "")), [ASPNET], is_verified=True)
    observed = ObservedLayers([shown(first), other])
    standing = stands(image("os", "aspnet", "own"), observed, [said], expected=[ASPNET])
    assert [each.digest for each in standing.publications] == [other.digest]
    assert (standing.strength, standing.doubt) == (Strength.PROVED, None)


def test_what_layers_prove_stays_proved_by_them_where_provenance_agrees() -> None:
    said = of_provenance(provenance((ASPNET_URI, NEW.digest or "")), [ASPNET], is_verified=True)
    standing = stands(image("os", "aspnet 2", "own"), ObservedLayers([NEW]), [said], expected=[ASPNET])
    assert (standing.strength, standing.basis) == (Strength.PROVED, Basis.LAYERS)


def test_a_platform_of_a_base_whose_layers_were_compared_whole_is_proved_by_few_digits() -> None:
    first = image("os", "aspnet", short=True)
    other = replace(first, digest=digest("another config"))
    observed = ObservedLayers([shown(first), shown(other, hours=48)])
    built = image("os", "aspnet", "own")
    standing = stands(built, observed, expected=[ASPNET], confirmed=[other.digest])
    assert (standing.strength, standing.doubt) == (Strength.PROVED, None)
    assert [each.platform_digest for each in standing.publications] == [other.digest]
    unconfirmed = stands(built, observed, expected=[ASPNET], confirmed=[digest("something else")])
    assert (unconfirmed.doubt, len(unconfirmed.publications)) == (Doubt.FEW_DIGITS, 2)


SDK_SHOWN = shown(image("os", "sdk"), base=SDK)
SDK_STAGE = stages_of(provenance((SDK_URI, SDK_SHOWN.digest or "")))


def test_the_image_of_a_stage_is_not_what_a_squashed_image_stands_on() -> None:
    assert stands(SQUASHED, ObservedLayers([SDK_SHOWN]), SDK_STAGE).strength is Strength.UNKNOWN


def test_the_image_of_a_stage_is_not_the_base_that_an_image_is_built_from() -> None:
    standing = stands(image("os", "sdk", "own"), ObservedLayers([SDK_SHOWN]), SDK_STAGE)
    assert (standing.strength, standing.doubt) == (Strength.CLAIMED, Doubt.NO_BASE_NAMED)


def test_the_image_of_a_stage_says_nothing_against_the_layers_and_what_follows_it_does() -> None:
    observed = ObservedLayers([OLD, NEW, SDK_SHOWN])
    built = image("os", "aspnet", "own")
    assert stands(built, observed, SDK_STAGE, expected=[ASPNET]).strength is Strength.PROVED
    said = of_annotations({BASE_DIGEST: NEW.digest or ""})
    against = stands(built, observed, [*SDK_STAGE, said], expected=[ASPNET])
    assert against.strength is Strength.CONTRADICTED
    assert against.disagreement == f"its annotation names {(NEW.digest or '')[:19]}…, which its layers do not show"


def test_which_base_is_meant_is_known_by_verified_provenance_and_by_no_other_word() -> None:
    golden = Base("ghcr.io", "contoso/golden", "10.0.1")
    seen = shown(image("os", "aspnet"), base=golden)
    observed = ObservedLayers([OLD, seen])
    build = provenance(("pkg:docker/ghcr.io/contoso/golden@10.0.1", seen.platforms[0].digest))
    built = image("os", "aspnet", "own")
    verified = stands(built, observed, [of_provenance(build, [golden], is_verified=True)])
    assert (verified.base, verified.basis, verified.doubt) == (ASPNET, Basis.LAYERS, None)
    unsigned = stands(built, observed, [of_provenance(build, [golden], is_verified=False)])
    assert (unsigned.strength, unsigned.doubt) == (Strength.CLAIMED, Doubt.NO_BASE_NAMED)


def test_where_the_files_name_a_base_provenance_names_no_other() -> None:
    golden = Base("ghcr.io", "contoso/golden", "10.0")
    seen = shown(image("os", "aspnet", "golden"), base=golden)
    said = of_provenance(
        provenance(("pkg:docker/ghcr.io/contoso/golden@10.0", seen.digest or "")), [], is_verified=True
    )
    observed = ObservedLayers([OLD, seen])
    standing = stands(image("os", "aspnet", "golden", "own"), observed, [said], expected=[SDK])
    assert standing.built_from == SDK


def test_an_image_that_is_a_base_itself_stands_on_what_is_below_it() -> None:
    golden = Base("ghcr.io", "contoso/golden", "latest")
    observed = ObservedLayers([OLD, shown(image("os", "aspnet", "golden"), base=golden)])
    built = image("os", "aspnet", "golden")
    standing = stands(built, observed, expected=[ASPNET], apart_from=golden.name)
    assert (standing.base, standing.layers) == (ASPNET, 2)


def test_without_layers_the_first_that_names_a_base_counts_though_nobody_has_seen_it() -> None:
    nameless = of_annotations({BASE_NAME: "no reference at all"})
    label = of_labels({BASE_DIGEST: digest("unseen")})
    standing = stands(SQUASHED, ObservedLayers([OLD]), [nameless, label, of_dockerfile(ASPNET)])
    assert (standing.strength, standing.basis) == (Strength.CLAIMED, Basis.LABEL)
    assert standing.named == f"{digest('unseen')[:19]}…"
    assert stands(SQUASHED, ObservedLayers([OLD]), [nameless]).strength is Strength.UNKNOWN


def test_without_layers_a_base_that_somebody_saw_counts_before_one_that_nobody_did() -> None:
    unseen = of_annotations({BASE_NAME: str(SDK), BASE_DIGEST: digest("unseen")})
    label = of_labels({BASE_NAME: str(ASPNET), BASE_DIGEST: NEW.platforms[0].digest})
    standing = stands(SQUASHED, ObservedLayers([OLD, NEW]), [unseen, label])
    assert (standing.basis, standing.named, standing.base) == (Basis.LABEL, str(ASPNET), ASPNET)
    assert [each.digest for each in standing.publications] == [NEW.digest]


def test_where_nothing_but_layers_is_known_first_digits_claim() -> None:
    standing = standing_of(image("os", "aspnet", "own"), ObservedLayers([SHORT]), Witnesses())
    assert (standing.strength, standing.doubt) == (Strength.CLAIMED, Doubt.FEW_DIGITS)
