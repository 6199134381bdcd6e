"""Which base provenance, annotations and labels name."""

from bot.domain.images.standing import Basis, Declaration
from bot.images.provenance.slsa import Material, Provenance
from bot.images.standing.declared import (
    BASE_DIGEST,
    BASE_NAME,
    of_annotations,
    of_dockerfile,
    of_labels,
    of_provenance,
    stages_of,
)
from tests.builders import ASPNET, SDK
from tests.unit.images.standing.world import digest

SHOWN, OTHER = digest("aspnet"), digest("other")


def provenance(**digests: str) -> Provenance:
    """The provenance of a build that used these images, each written as a package address behind `pkg:docker/`."""
    materials = tuple(Material(f"pkg:docker/{image}", frozenset({told})) for image, told in digests.items())
    return Provenance("", materials, Material("", frozenset()))


def test_an_image_that_is_named_by_its_digest_alone_is_one_of_the_expected_name() -> None:
    build = provenance(**{"mcr.microsoft.com/dotnet/aspnet": SHOWN, "mcr.microsoft.com/dotnet/sdk@10.0": OTHER})
    assert of_provenance(build, [ASPNET], is_verified=True) == Declaration(
        Basis.VERIFIED_PROVENANCE, ASPNET.name, frozenset({SHOWN})
    )


def test_an_image_of_another_tag_is_none_of_the_expected_name() -> None:
    build = provenance(
        **{"mcr.microsoft.com/dotnet/aspnet@9.0": SHOWN, "mcr.microsoft.com/dotnet/aspnet@10.0": OTHER}
    )
    declared = of_provenance(build, [ASPNET], is_verified=False)
    assert declared == Declaration(Basis.UNSIGNED_PROVENANCE, str(ASPNET), frozenset({OTHER}))


def test_an_image_whose_name_docker_would_refuse_is_none_of_the_expected_name() -> None:
    build = provenance(**{"mcr.microsoft.com/dotnet/aspnet@10.0": SHOWN, "-refused-@1": OTHER})
    declared = of_provenance(build, [ASPNET], is_verified=True)
    assert declared is not None
    assert declared.digests == {SHOWN}


def test_what_is_no_digest_names_nothing() -> None:
    build = provenance(**{"mcr.microsoft.com/dotnet/aspnet@10.0": "sha1:abc"})
    declared = of_provenance(build, [], is_verified=True)
    assert declared is not None
    assert declared.digests == frozenset()
    assert [each.digests for each in stages_of(build)] == [frozenset()]


def test_each_image_of_a_build_is_a_stage_with_its_digest() -> None:
    build = provenance(**{"mcr.microsoft.com/dotnet/sdk@10.0": SHOWN, "mcr.microsoft.com/dotnet/aspnet": OTHER})
    assert stages_of(build) == (
        Declaration(Basis.VERIFIED_PROVENANCE, str(SDK), frozenset({SHOWN}), is_stage=True),
        Declaration(Basis.VERIFIED_PROVENANCE, ASPNET.name, frozenset({OTHER}), is_stage=True),
    )


def test_what_no_signature_holds_any_more_is_unsigned_provenance_and_all_else_stays_what_it_is() -> None:
    verified = Declaration(Basis.VERIFIED_PROVENANCE, str(ASPNET), frozenset({SHOWN}))
    assert verified.unsigned == Declaration(Basis.UNSIGNED_PROVENANCE, str(ASPNET), frozenset({SHOWN}))
    assert of_dockerfile(ASPNET).unsigned == of_dockerfile(ASPNET)


def test_annotations_and_labels_name_a_base_by_its_name_by_its_digest_or_by_both() -> None:
    assert of_annotations({BASE_NAME: "golden:1"}) == Declaration(Basis.ANNOTATION, "golden:1")
    assert of_labels({BASE_DIGEST: SHOWN}) == Declaration(Basis.LABEL, "", frozenset({SHOWN}))
    both = {BASE_NAME: "golden:1", BASE_DIGEST: SHOWN}
    assert of_annotations(both) == Declaration(Basis.ANNOTATION, "golden:1", frozenset({SHOWN}))
    assert of_annotations({}) is of_labels({"org.opencontainers.image.title": "shop"}) is None


def test_the_base_is_named_in_the_words_of_the_image_specification() -> None:
    assert of_annotations(
        {"org.opencontainers.image.base.name": "golden:1", "org.opencontainers.image.base.digest": SHOWN}
    ) == Declaration(Basis.ANNOTATION, "golden:1", frozenset({SHOWN}))


def test_a_text_that_is_no_digest_is_none() -> None:
    assert of_annotations({BASE_NAME: "golden:1", BASE_DIGEST: "latest"}) == Declaration(
        Basis.ANNOTATION, "golden:1"
    )


def test_a_label_is_the_bases_own_only_with_the_value_that_it_has_there() -> None:
    labels = {BASE_NAME: "golden:2", BASE_DIGEST: SHOWN}
    inherited = [(BASE_NAME, "golden:1"), (BASE_DIGEST, SHOWN)]
    assert of_labels(labels, inherited) == Declaration(Basis.LABEL, "golden:2")
