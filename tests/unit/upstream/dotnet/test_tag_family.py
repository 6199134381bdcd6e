import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.reference import Base
from bot.domain.tags.tag import Tag
from bot.domain.tags.words import DEBIAN, UBUNTU
from bot.upstream.dotnet.tag_family import TagFamily, os_sibling, sibling_of


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


@pytest.mark.parametrize(
    ("tag", "distribution", "family"),
    [
        ("11.0-duke", "duke", "debian"),
        ("11.0-duke-slim", "duke-slim", "debian"),
        ("8.0-noble", "noble", "ubuntu"),
        ("8.0-noble-tomorrow", "noble", "ubuntu"),
        ("12.0-alpine3.25", "alpine3.25", "alpine"),
        ("12.0-azurelinux", "azurelinux", "azurelinux"),
        ("12.0-azurelinux5.0-distroless", "azurelinux5.0", "azurelinux"),
        ("12.0-stonking", "stonking", "stonking"),
        ("12.0-preview-stonking-chiseled-extra", "stonking", "stonking"),
        ("12.0-tomorrow-slim", "tomorrow-slim", "tomorrow"),
        ("12.0-nanoserver-ltsc2028", "nanoserver-ltsc2028", "nanoserver-ltsc"),
        ("12.0-windowsservercore", "windowsservercore", "windowsservercore"),
        ("12.0-aot", None, None),
        ("12.0-chiseled", None, None),
    ],
)
def test_a_name_of_tomorrow_is_a_system_of_its_own_and_never_another(
    tag: str, distribution: str | None, family: str | None
) -> None:
    found = TagFamily.of(tag)
    assert (found.distribution, found.family) == (distribution, family)


@given(st.from_regex(r"[a-z]{4,12}", fullmatch=True))
def test_no_word_makes_a_tag_one_of_another_system(word: str) -> None:
    """Neither one that is known, but for what the word itself names, nor the one that Microsoft chooses."""
    found = TagFamily.of(f"12.0-{word}")
    if found.distribution is not None:
        assert found.distribution == word
        assert found.family in ({"debian"} if word in DEBIAN else {"ubuntu"} if word in UBUNTU else {word})
    else:
        assert found.flavours or found.preview or Tag.parse(f"12.0-{word}").architecture or found.channel is None


def test_a_cut_down_image_of_a_system_that_is_not_known_has_its_full_one_beside_it() -> None:
    assert os_sibling("12.0-stonking-chiseled") == "12.0-stonking"


def test_the_releases_of_a_system_that_is_not_known_have_no_order() -> None:
    assert TagFamily.of("12.0-stonking").release == ()
    assert (
        TagFamily.of("8.0-xenial").release < TagFamily.of("8.0-artful").release < TagFamily.of("8.0-noble").release
    )


@pytest.mark.parametrize("word", ["chiseled", "distroless", "composite", "extra", "aot"])
def test_what_stands_behind_a_system_is_none_itself(word: str) -> None:
    assert TagFamily.of(f"8.0-{word}") == TagFamily("8.0", flavours=frozenset({word}))
    assert TagFamily.of(f"8.0-noble-{word}") == TagFamily("8.0", distribution="noble", flavours=frozenset({word}))


@pytest.mark.parametrize("word", ["slim", "latest"])
def test_slim_and_latest_alone_are_no_system_and_no_flavour(word: str) -> None:
    assert TagFamily.of(f"8.0-{word}") == TagFamily("8.0")


def test_mariner_is_followed_by_azure_linux_and_nothing_else_by_another() -> None:
    assert TagFamily.of("8.0-cbl-mariner2.0").successor_family == "azurelinux"
    assert [TagFamily.of(tag).successor_family for tag in ("8.0", "8.0-noble", "8.0-azurelinux3.0")] == [None] * 3


def test_alpine_alone_is_musl() -> None:
    musl = [tag for tag in ("8.0", "8.0-alpine", "8.0-alpine3.22", "8.0-noble") if TagFamily.of(tag).is_musl]
    assert musl == ["8.0-alpine", "8.0-alpine3.22"]


def test_a_release_is_told_in_numbers_or_by_its_place_among_code_names() -> None:
    assert TagFamily.of("8.0-alpine3.22").release == (3, 22)
    assert TagFamily.of("8.0").release == ()
    assert len(TagFamily.of("8.0-bookworm-slim").release) == 1
    assert TagFamily.of("8.0-bookworm-slim").release == TagFamily.of("8.0-bookworm").release


def test_the_sibling_of_a_base_is_on_the_same_registry() -> None:
    cut = Base("registry.example", "dotnet/aspnet", "8.0-noble-chiseled")
    assert sibling_of(cut) == Base("registry.example", "dotnet/aspnet", "8.0-noble")
    assert sibling_of(Base("registry.example", "dotnet/aspnet", "8.0-noble")) is None


def test_a_tag_family_without_words_is_a_final_one_of_no_system() -> None:
    assert TagFamily("8.0") == TagFamily("8.0", False, None, frozenset())
