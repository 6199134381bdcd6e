import pytest

from bot.domain.bases.followed_base import (
    Unknown,
    followed_base,
    is_patch_pinned,
    pinned_version,
    reference_after_move,
    tagged_version,
)
from bot.domain.reference import Reference

OLD = "sha256:" + "a" * 64
NEW = "sha256:" + "b" * 64
ASPNET = "mcr.microsoft.com/dotnet/aspnet"


@pytest.mark.parametrize(
    ("written", "tag"),
    [
        ("10.0-noble-chiseled", "10.0-noble-chiseled"),
        ("10.0.4-noble-chiseled", "10.0-noble-chiseled"),
        ("10.0.4-1-noble-chiseled-extra", "10.0-noble-chiseled-extra"),
        ("10.0.4", "10.0"),
        ("11.0-preview", "11.0-preview"),
        ("11.0.0-preview.1-noble-chiseled", "11.0.0-preview.1-noble-chiseled"),
        ("10.0.100-rc.2", "10.0.100-rc.2"),
        ("latest", "latest"),
        (f"10.0.{'4' * 100}", f"10.0.{'4' * 100}"),
    ],
)
def test_a_reference_follows_the_floating_tag_of_its_line(written: str, tag: str) -> None:
    base = followed_base(Reference(ASPNET, written))
    assert base is not None
    assert base.tag == tag


def test_a_patch_tag_pins_its_version_unless_a_digest_beside_it_does() -> None:
    assert pinned_version(Reference(ASPNET, "10.0.4-noble")) == "10.0.4"
    assert pinned_version(Reference(ASPNET, "10.0-noble")) is None
    pinned = Reference(ASPNET, "10.0.4-noble", OLD)
    assert (pinned_version(pinned), tagged_version(pinned)) == (None, "10.0.4")


def test_a_bare_digest_follows_nothing() -> None:
    assert followed_base(Reference(ASPNET, None, OLD)) is None


def test_other_images_follow_the_tag_as_written() -> None:
    base = followed_base(Reference("python", "3.6.3"))
    assert base is not None
    assert (base.repository, base.tag) == ("library/python", "3.6.3")


@pytest.mark.parametrize(
    "tag", ["4.8.1-windowsservercore-ltsc2022", "4.7.2", "4.8.1-20250909-windowsservercore-ltsc2022"]
)
def test_a_framework_image_follows_its_own_tag(tag: str) -> None:
    written = Reference("mcr.microsoft.com/dotnet/framework/aspnet", tag, OLD)
    base = followed_base(written)
    assert base is not None
    assert (base.tag, is_patch_pinned(written)) == (tag, False)
    assert reference_after_move(written, NEW, None) == written.with_tag(tag, NEW)


def test_a_digest_pin_takes_the_new_digest_and_keeps_its_tag() -> None:
    assert reference_after_move(Reference(ASPNET, "10.0", OLD), NEW, "10.0.5") == Reference(ASPNET, "10.0", NEW)


def test_a_patch_pin_takes_the_new_patch() -> None:
    assert reference_after_move(Reference(ASPNET, "10.0.4-noble"), NEW, "10.0.5") == Reference(
        ASPNET, "10.0.5-noble"
    )


def test_a_patch_pin_with_digest_takes_both() -> None:
    assert reference_after_move(Reference(ASPNET, "10.0.4-noble", OLD), NEW, "10.0.5") == Reference(
        ASPNET, "10.0.5-noble", NEW
    )


def test_a_rebuilt_patch_keeps_its_tag_and_revision() -> None:
    assert reference_after_move(Reference(ASPNET, "10.0.4-1-noble"), NEW, "10.0.4") == Reference(
        ASPNET, "10.0.4-1-noble"
    )


@pytest.mark.parametrize("version", [None, "11.0.0", "10.1.0", "10.0.0-preview.1.24081.5"])
def test_a_patch_pin_stays_where_the_new_patch_is_not_certain(version: str | None) -> None:
    assert isinstance(reference_after_move(Reference(ASPNET, "10.0.4"), NEW, version), Unknown)


def test_only_three_part_versions_are_patch_pins() -> None:
    assert is_patch_pinned(Reference(ASPNET, "10.0.4"))
    assert not is_patch_pinned(Reference(ASPNET, "10.0"))


def test_a_preview_stays_until_somebody_asks_for_the_next() -> None:
    assert reference_after_move(
        Reference(ASPNET, "10.0.0-rc.1-noble", OLD), NEW, "10.0.0-rc.1.25451.107"
    ) == Reference(ASPNET, "10.0.0-rc.1-noble", NEW)


@pytest.mark.parametrize("repository", ["runtime-deps", "runtime", "aspnet", "sdk"])
def test_images_that_are_numbered_by_dotnet_follow_its_minor_version(repository: str) -> None:
    base = followed_base(Reference(f"myacr.azurecr.io/mirror/dotnet/nightly/{repository}", "10.0.4"))
    assert base is not None
    assert (base.registry, base.repository, base.tag) == (
        "myacr.azurecr.io",
        f"mirror/dotnet/nightly/{repository}",
        "10.0",
    )


@pytest.mark.parametrize(
    ("name", "tag"),
    [
        ("mcr.microsoft.com/dotnet/monitor", "10.0.4"),
        ("r.example.com/aspnet", "10.0.4"),
        ("r.example.com/dotnet/framework/runtime", "10.0.4"),
        (ASPNET, "10.0.4_1"),
        (ASPNET, None),
    ],
)
def test_what_is_no_patch_of_dotnet_follows_its_own_tag(name: str, tag: str | None) -> None:
    reference = Reference(name, tag)
    assert followed_base(reference) == reference.base
    assert tagged_version(reference) is None


def test_why_the_new_reference_is_not_known_is_told() -> None:
    pinned = Reference(ASPNET, "10.0.4-noble")
    assert reference_after_move(pinned, NEW, None) == Unknown(
        f"the patch version behind {NEW[:19]} is not known yet", is_ahead=False
    )
    assert reference_after_move(pinned, NEW, "11.0.0") == Unknown(
        "the base now holds 11.0.0, another minor version than 10.0.4-noble"
    )
