import pytest

from bot.assess.dotnet.tag_family import TagFamily, os_sibling


@pytest.mark.parametrize(
    ("tag", "lineage"),
    [
        ("latest", TagFamily(None)),
        ("8.0", TagFamily("8.0")),
        ("10.0-preview", TagFamily("10.0", preview=True)),
        ("8.0.11-bookworm-slim", TagFamily("8.0", distribution="bookworm-slim")),
        (
            "11.0-preview-azurelinux4.0-distroless-composite-extra",
            TagFamily("11.0", True, "azurelinux4.0", frozenset({"distroless", "composite", "extra"})),
        ),
        ("8.0-cbl-mariner2.0", TagFamily("8.0", distribution="cbl-mariner2.0")),
    ],
)
def test_a_tag_names_channel_distribution_and_flavours(tag: str, lineage: TagFamily) -> None:
    assert TagFamily.of(tag) == lineage


@pytest.mark.parametrize(
    ("older", "newer"),
    [
        ("8.0-alpine3.9", "8.0-alpine3.22"),
        ("8.0-bookworm-slim", "8.0-trixie-slim"),
        ("8.0-jammy", "8.0-noble"),
        ("10.0-noble", "10.0-resolute"),
        ("8.0-cbl-mariner1.0", "8.0-cbl-mariner2.0"),
    ],
)
def test_releases_of_one_family_have_an_order(older: str, newer: str) -> None:
    assert TagFamily.of(older).family == TagFamily.of(newer).family
    assert TagFamily.of(older).release < TagFamily.of(newer).release


@pytest.mark.parametrize(
    ("tag", "sibling"),
    [
        ("8.0-noble-chiseled", "8.0-noble"),
        ("11.0-preview-resolute-chiseled-composite-extra", "11.0-preview-resolute"),
        ("9.0-azurelinux3.0-distroless-extra", "9.0-azurelinux3.0"),
        ("8.0-noble", None),
        ("8.0-chiseled", None),
    ],
)
def test_a_cut_down_image_has_a_full_one_beside_it(tag: str, sibling: str | None) -> None:
    assert os_sibling(tag) == sibling
