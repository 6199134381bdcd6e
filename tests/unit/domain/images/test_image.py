"""An image that the fleet produces: whose word counts for it, and what its platforms say of their bases."""

from dataclasses import replace
from datetime import timedelta

import pytest

from bot.domain.bases.observation import PlatformImage
from bot.domain.evidence import Strength
from bot.domain.images.claims import Claim, Source, TagRule
from bot.domain.images.image import Builder, ProducedImage, SeenImage, declared_by, declared_of
from bot.domain.images.standing import Basis, Declaration, ImageStanding, ImageState, Publication
from bot.domain.reference import Base
from tests.builders import ASPNET, NOON

CLAIM = Claim("ghcr.io/contoso/shop", TagRule("v*"), Source.BUILD, "build.yml", 12)
IMAGE = ProducedImage(1, 1, "Contoso/shop", CLAIM)
BUILDER = Builder("a workflow", 2, Strength.PROVED, "", "contoso/Shop")
WEAK = replace(IMAGE, claim=replace(CLAIM, weakness="its tag is a default"))


def test_an_image_is_looked_for_under_the_tag_that_its_claim_names_until_one_was_found() -> None:
    assert IMAGE.place == Base("ghcr.io", "contoso/shop", "v*")
    assert replace(IMAGE, found_tag="v7").place == Base("ghcr.io", "contoso/shop", "v7")


def test_an_image_that_was_not_seen_has_no_other_state() -> None:
    shown = Publication(ASPNET, NOON, "sha256:index", "linux/amd64", "sha256:platform", NOON + timedelta(days=1))
    behind = ImageStanding("linux/amd64", Strength.CLAIMED, Basis.LAYERS, (shown,))
    assert replace(IMAGE, standings=(behind,)).state is ImageState.NOT_SEEN
    seen = replace(IMAGE, digest="sha256:i", standings=(behind,))
    assert (seen.state, seen.strength, seen.behind_since) == (
        ImageState.BEHIND,
        Strength.CLAIMED,
        NOON + timedelta(days=1),
    )
    assert (IMAGE.strength, IMAGE.behind_since) == (Strength.UNKNOWN, None)


def test_the_weightiest_word_for_a_repository_is_its_images_source() -> None:
    assert IMAGE.source is Source.BUILD
    assert replace(IMAGE, sourced_from="contoso/SHOP").source is Source.LABEL
    assert replace(IMAGE, sourced_from="contoso/shop", builder=BUILDER).source is Source.PROVENANCE
    assert replace(IMAGE, sourced_from="contoso/till").source is Source.BUILD
    produces = replace(IMAGE, claim=replace(CLAIM, source=Source.PRODUCES), sourced_from="contoso/shop")
    assert produces.source is Source.PRODUCES


def test_names_of_repositories_are_the_same_in_whatever_case() -> None:
    assert replace(IMAGE, builder=BUILDER).doubt is replace(IMAGE, sourced_from="contoso/SHOP").doubt is None


def test_an_image_that_another_repository_claims_as_well_is_doubted_though_the_operator_names_it() -> None:
    settings = replace(IMAGE, claim=replace(CLAIM, source=Source.SETTINGS), is_contested=True)
    assert settings.doubt == "another repository says that it produces this image"
    assert not settings.is_parent


def test_what_stands_on_an_image_waits_for_it_where_no_doubt_is_left() -> None:
    assert IMAGE.is_parent
    assert not replace(IMAGE, sourced_from="contoso/till").is_parent


def test_weak_evidence_makes_a_parent_where_the_image_names_its_repository_itself() -> None:
    assert not WEAK.is_parent
    assert replace(WEAK, sourced_from="contoso/shop").is_parent
    assert replace(WEAK, builder=BUILDER).is_parent
    assert not replace(WEAK, sourced_from="contoso/shop", is_contested=True).is_parent


def of(name: str) -> tuple[Declaration, ...]:
    return (Declaration(Basis.LABEL, name),)


def test_what_each_platform_says_of_its_base_is_kept_by_the_platform_or_by_the_image_where_there_are_several() -> (
    None
):
    linux = PlatformImage("linux/amd64", "sha256:l")
    windows = [PlatformImage("windows/amd64", f"sha256:{number}") for number in (1, 2)]
    declared = declared_by([linux, *windows], [of("a"), of("b"), of("c")])
    assert declared == {"linux/amd64": of("a"), "sha256:1": of("b"), "sha256:2": of("c")}
    assert [declared_of(each, declared) for each in (linux, *windows)] == [of("a"), of("b"), of("c")]
    assert declared_of(PlatformImage("windows/amd64", "sha256:3"), declared) == ()


def test_what_a_digest_stands_for_is_the_same_whichever_of_its_documents_were_new() -> None:
    seen = SeenImage("sha256:i", ())
    with_documents = replace(seen, fetched={"sha256:d": b"document"})
    assert with_documents == seen
    assert "document" not in repr(with_documents)


def test_each_platform_says_what_it_says_or_nothing_is_kept_at_all() -> None:
    with pytest.raises(ValueError, match="zip"):
        declared_by([PlatformImage("linux/amd64", "sha256:l")], [of("a"), of("b")])
