"""Which releases of an own base follow each other."""

import pytest

from bot.domain.bases.followed_base import Unknown, base_among, is_line, line_of, newest_in, pinned_to
from bot.domain.reference import Base, Reference
from bot.domain.rollouts.pinning import wanted_reference
from bot.domain.rollouts.terms import Pin

GOLDEN = Reference("ghcr.io/contoso/golden", "1.4.2")
LINE = Base("ghcr.io", "contoso/golden", "1.*.*")


@pytest.mark.parametrize(
    ("tag", "line"),
    [
        ("1.4.2", "1.*.*"),
        ("v1.4.2-noble", "v1.*.*-noble"),
        ("2026.11.3", "*.*.*"),
        ("1.4", None),
        ("latest", None),
        ("1.4.2-rc.1", None),
        ("20261127", None),
        (None, None),
    ],
)
def test_a_tag_of_one_release_belongs_to_the_line_of_its_major_version(tag: str | None, line: str | None) -> None:
    found = line_of(GOLDEN.with_tag(tag, None))
    assert (found.tag if found else None) == line


def test_releases_of_dotnet_follow_their_minor_version_instead() -> None:
    assert line_of(Reference("myacr.azurecr.io/dotnet/aspnet", "10.0.4")) is None


def test_the_newest_release_is_found_by_its_numbers() -> None:
    tags = ["1.4.2", "1.10.0", "1.9.9", "2.0.0", "1.11.0-noble", "1.12.0-rc.1", "latest", "v1.99.0"]
    assert newest_in(LINE, tags) == "1.10.0"
    assert newest_in(LINE, ["latest"]) is None


def test_a_reference_follows_its_line_or_its_tag_whichever_is_asked_about() -> None:
    assert base_among(GOLDEN, [LINE]) == LINE
    assert base_among(GOLDEN, [GOLDEN.base]) == GOLDEN.base
    assert base_among(GOLDEN, [Base("ghcr.io", "contoso/golden", "2.*.*")]) is None
    assert (is_line(LINE), is_line(GOLDEN.base)) == (True, False)


def test_what_is_pinned_is_the_whole_tag() -> None:
    assert pinned_to(GOLDEN, LINE) == "1.4.2"
    assert pinned_to(GOLDEN.with_tag("1.4.2", "sha256:1"), LINE) is None
    assert pinned_to(GOLDEN, GOLDEN.base) is None


@pytest.mark.parametrize("pin", [Pin.KEEP, Pin.FLOATING])
def test_the_newest_release_is_written_with_a_digest_where_there_was_one(pin: Pin) -> None:
    assert wanted_reference(GOLDEN, LINE, "sha256:2", "1.10.0", pin) == GOLDEN.with_tag("1.10.0", None)
    old = GOLDEN.with_tag("1.4.2", "sha256:1")
    assert wanted_reference(old, LINE, "sha256:2", "1.10.0", pin) == GOLDEN.with_tag("1.10.0", "sha256:2")
    assert isinstance(wanted_reference(GOLDEN, LINE, "sha256:2", None, pin), Unknown)


@pytest.mark.parametrize(
    ("tag", "line"),
    [
        ("999.1.2", "999.*.*"),
        ("1000.1.2", "*.*.*"),
        ("2999.1.2", "*.*.*"),
        ("3000.1.2", "3000.*.*"),
        ("V1.4.2-Noble", "V1.*.*-Noble"),
        ("1.4.2-noble-slim.2", "1.*.*-noble-slim.2"),
        ("1.4.2-alpine", "1.*.*-alpine"),
        ("1.4.2-" + "a" * 58, "1.*.*-" + "a" * 58),
        ("1.4.2-" + "a" * 59, None),
        ("1.4.2-1", None),
        *((f"1.4.2-{word}", None) for word in ("alpha", "beta.1", "PREVIEW", "pre", "rc1", "dev")),
        *((f"1.4.2-{word}-slim", None) for word in ("nightly", "snapshot", "canary")),
    ],
)
def test_a_line_is_of_finished_releases_that_are_written_alike(tag: str, line: str | None) -> None:
    found = line_of(GOLDEN.with_tag(tag, None))
    assert found == (Base("ghcr.io", "contoso/golden", line) if line else None)


def test_of_years_the_newest_is_found_across_them() -> None:
    line = Base("ghcr.io", "contoso/golden", "*.*.*")
    assert newest_in(line, ["2026.11.3", "2027.1.0", "2026.12.31"]) == "2027.1.0"
    assert newest_in(LINE, ["1.4.2", "1.4.02"]) == "1.4.2"


def test_a_tag_that_floats_pins_what_its_patch_says() -> None:
    dotnet = Reference("myacr.azurecr.io/dotnet/aspnet", "10.0.4")
    assert pinned_to(dotnet, dotnet.base) == "10.0.4"
    assert base_among(dotnet, [Base("myacr.azurecr.io", "dotnet/aspnet", "10.0")]) is not None
