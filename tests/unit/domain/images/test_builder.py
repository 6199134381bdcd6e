"""Who built an image, and what that says of whose image it is."""

from dataclasses import replace

import pytest

from bot.domain.evidence import Strength
from bot.domain.images.claims import Claim, Source, TagRule
from bot.domain.images.image import Builder, ProducedImage, repository_at_address

BUILDER = Builder("a workflow", 2, Strength.PROVED, "", "contoso/shop")
IMAGE = ProducedImage(1, 1, "contoso/shop", Claim("ghcr.io/contoso/shop", TagRule("latest"), Source.BUILD))


@pytest.mark.parametrize(
    ("address", "named"),
    [
        ("https://github.com/contoso/shop", "contoso/shop"),
        ("https://github.com/contoso/shop.git", "contoso/shop"),
        ("https://github.com/contoso/shop/", "contoso/shop"),
        ("git+https://github.com/contoso/shop@refs/heads/main", "contoso/shop"),
        ("https://github.com/contoso/shop.git#refs/heads/main", "contoso/shop"),
        ("https://github.com/contoso", ""),
        ("https://github.com/contoso/shop/tree/main", ""),
        ("http://github.com/contoso/shop", ""),
        ("https://github.com/contoso/shop?tab=readme", "contoso/shop"),
        ("https://github.com//shop", ""),
        ("https://github.com/contoso/", ""),
        ("https:///contoso/shop", ""),
        ("https://github.com/contoso/shop?from=https://example.com", "contoso/shop"),
        ("https://github.com/contoso/shop#a#b", "contoso/shop"),
        ("https://github.com/contoso/shop?a?b", "contoso/shop"),
        ("https://github.com/contoso/shop@a@b", "contoso/shop"),
        ("https://github.com/contoso/X/", "contoso/X"),
        ("contoso/shop", ""),
        ("", ""),
    ],
)
def test_a_repository_is_read_from_the_address_of_its_source(address: str, named: str) -> None:
    assert repository_at_address(address) == named


@pytest.mark.parametrize(
    ("address", "forge", "named"),
    [
        ("https://gitlab.com/contoso/shop", "github.com", "gitlab.com/contoso/shop"),
        ("https://GitLab.com/contoso/shop", "github.com", "gitlab.com/contoso/shop"),
        ("https://GitHub.com/contoso/shop", "github.com", "contoso/shop"),
        ("https://www.github.com/contoso/shop", "GitHub.com", "contoso/shop"),
        ("https://www.github.com/contoso/shop", "github.com", "contoso/shop"),
        ("https://github.com/contoso/shop", "github.contoso.com", "github.com/contoso/shop"),
        ("https://github.contoso.com/contoso/shop", "github.contoso.com", "contoso/shop"),
    ],
)
def test_a_repository_at_another_host_is_none_of_the_forges(address: str, forge: str, named: str) -> None:
    assert repository_at_address(address, forge) == named


def test_an_image_that_names_a_source_of_the_same_name_at_another_host_is_not_tied_to_the_repository() -> None:
    elsewhere = replace(IMAGE, sourced_from=repository_at_address("https://gitlab.com/contoso/shop"))
    assert elsewhere.source is Source.BUILD
    assert elsewhere.doubt == "the image itself names gitlab.com/contoso/shop as its source"


def test_an_image_of_weak_evidence_is_doubted_though_its_label_or_provenance_names_the_repository() -> None:
    """They tell who built what the tag shows, not under which tag the next build pushes."""
    weak = replace(IMAGE, claim=replace(IMAGE.claim, weakness="its tag is a default"))
    assert weak.doubt == replace(weak, sourced_from="contoso/shop").doubt == "its tag is a default"
    assert replace(weak, builder=BUILDER).doubt == "its tag is a default"
    assert replace(weak, sourced_from="contoso/till").doubt == "the image itself names contoso/till as its source"


def test_signed_provenance_is_worth_more_than_what_builds_and_repositories_say() -> None:
    assert replace(IMAGE, builder=BUILDER).source is Source.PROVENANCE
    settings = replace(IMAGE, claim=replace(IMAGE.claim, source=Source.SETTINGS), builder=BUILDER)
    assert settings.source is Source.SETTINGS


def test_an_image_that_signed_provenance_gives_to_another_repository_does_not_count() -> None:
    other = replace(IMAGE, builder=replace(BUILDER, repository="mallory/shop"), sourced_from="contoso/shop")
    assert other.doubt == "its signed provenance names mallory/shop as its source"
    settings = replace(other, claim=replace(IMAGE.claim, source=Source.SETTINGS))
    assert settings.doubt is None


def test_signed_provenance_is_believed_before_a_label() -> None:
    assert replace(IMAGE, builder=BUILDER, sourced_from="mallory/shop").doubt is None


def test_provenance_that_is_not_proved_says_nothing_of_whose_image_it_is() -> None:
    claimed = replace(BUILDER, strength=Strength.CONTRADICTED, repository="mallory/shop")
    assert (replace(IMAGE, builder=claimed).doubt, replace(IMAGE, builder=claimed).source) == (None, Source.BUILD)


def test_a_builder_is_told_with_its_level_and_why_it_is_not_higher() -> None:
    assert BUILDER.told == "built by a workflow of contoso/shop, SLSA build level 2"
    assert replace(BUILDER, repository="", reason="why").told == "built by a workflow, SLSA build level 2: why"


def test_a_builder_supports_what_is_proved_of_it_and_no_higher_level() -> None:
    assert [BUILDER.supports(level) for level in (1, 2, 3)] == [True, True, False]
    assert not replace(BUILDER, strength=Strength.CLAIMED).supports(1)
