import pytest

from bot.domain.feeds.advisory import Advisory
from bot.domain.reference import Reference
from bot.upstream.dotnet.relevance import relevance, relevance_to
from tests.unit.fleet.assess.world import base, image, seen


def advisory(families: str = "", systems: str = "") -> Advisory:
    return Advisory("CVE-2025-0001", families=frozenset(families.split()), systems=frozenset(systems.split()))


@pytest.mark.parametrize(
    ("touches", "family", "relevant"),
    [
        ("runtime", "runtime", True),
        ("runtime", "aspnet", True),
        ("runtime", "sdk", True),
        ("aspnet", "runtime", False),
        ("aspnet", "sdk", True),
        ("sdk", "aspnet", False),
        ("runtime", "runtime-deps", False),
        ("runtime-deps", "runtime-deps", True),
        ("", "aspnet", True),
        ("", "runtime-deps", False),
    ],
)
def test_an_image_is_touched_through_what_it_contains(touches: str, family: str, relevant: bool) -> None:
    assert bool(relevance(advisory(touches), base(f"{family}:8.0"))) is relevant


@pytest.mark.parametrize(
    ("systems", "tag", "relevant"),
    [
        ("windows", "8.0", False),
        ("macos", "8.0", False),
        ("windows macos", "8.0", False),
        ("linux", "8.0", True),
        ("linux windows", "8.0", True),
        ("musl", "8.0", False),
        ("musl", "8.0-alpine3.22", True),
        ("linux", "8.0-alpine3.22", True),
        ("", "8.0", True),
    ],
)
def test_the_operating_system_must_be_one_of_the_images(systems: str, tag: str, relevant: bool) -> None:
    assert bool(relevance(advisory("runtime", systems), base(f"aspnet:{tag}"))) is relevant


@pytest.mark.parametrize(
    "name",
    [
        "mcr.microsoft.com/dotnet/monitor:10.0",
        "mcr.microsoft.com/dotnet/aspire-dashboard:13.1",
        "mcr.microsoft.com/dotnet/yarp:2.3-preview",
        "mcr.microsoft.com/dotnet/samples:aspnetapp",
        "mcr.microsoft.com/azure-functions/dotnet-isolated:4",
        "ghcr.io/contoso/golden:1.0",
        "ghcr.io/contoso/dotnet/runtime:8.0",
        "contoso.azurecr.io/dotnet/runtime-deps:8.0",
    ],
)
@pytest.mark.parametrize("touches", ["runtime", "aspnet", "sdk", ""])
def test_what_an_image_contains_that_nobody_knows_counts_as_touched(name: str, touches: str) -> None:
    found = relevance(advisory(touches), Reference.parse(name).base)
    assert found.relevant
    assert "is not known, so every fix counts" in found.text


def test_the_operating_system_of_an_image_is_known_whatever_it_contains() -> None:
    assert not relevance(advisory("runtime", "windows"), Reference.parse("ghcr.io/contoso/golden:1.0").base)


@pytest.mark.parametrize("place", ["dotnet/nightly/runtime", "dotnet/core/runtime"])
def test_microsofts_families_are_known_in_all_their_places(place: str) -> None:
    assert not relevance(advisory("aspnet"), Reference.parse(f"mcr.microsoft.com/{place}:8.0").base)


def test_the_observed_distribution_wins_over_the_tag() -> None:
    alpine = seen("1", image("1", os="alpine3.22"))
    assert relevance_to(advisory("runtime", "musl"), alpine)


def test_a_windows_platform_makes_a_windows_fix_relevant() -> None:
    found = relevance(advisory("runtime", "windows"), base("aspnet:8.0"), platforms=["windows/amd64"])
    assert found.relevant


@pytest.mark.parametrize(
    ("case", "tag", "words"),
    [
        (advisory("aspnet"), "runtime:8.0", "it touches aspnet, which runtime images do not contain"),
        (advisory("runtime", "windows macos"), "aspnet:8.0", "it affects macOS and Windows only"),
        (
            advisory("runtime", "musl"),
            "aspnet:8.0",
            "it affects musl-based Linux only, and the image is not Alpine",
        ),
        (advisory("runtime", "linux"), "sdk:8.0", "sdk images contain runtime; it affects Linux"),
    ],
)
def test_the_reasons_are_in_words(case: Advisory, tag: str, words: str) -> None:
    assert relevance(case, base(tag)).text == words


@pytest.mark.parametrize(
    ("family", "parts"),
    [
        ("runtime-deps", ["runtime-deps"]),
        ("runtime", ["runtime", "runtime-deps"]),
        ("aspnet", ["aspnet", "runtime", "runtime-deps"]),
        ("sdk", ["aspnet", "runtime", "runtime-deps", "sdk"]),
    ],
)
def test_each_family_contains_those_that_it_is_built_on(family: str, parts: list[str]) -> None:
    each = ("aspnet", "runtime", "runtime-deps", "sdk", "other")
    assert [part for part in each if relevance(advisory(part), base(f"{family}:8.0"))] == parts


@pytest.mark.parametrize("place", ["dotnet", "dotnet/nightly", "dotnet/core", "dotnet/core-nightly"])
def test_a_runtime_in_each_place_of_microsofts_contains_no_sdk(place: str) -> None:
    assert not relevance(advisory("sdk"), Reference.parse(f"mcr.microsoft.com/{place}/runtime:8.0").base)


@pytest.mark.parametrize(
    ("families", "systems", "name", "words"),
    [
        (
            "",
            "",
            "aspnet:8.0",
            "the document names no product, so every image counts; "
            "the document names no operating system, so every platform counts",
        ),
        ("", "", "runtime-deps:8.0", "runtime-deps images contain no .NET code"),
        (
            "runtime aspnet",
            "linux musl",
            "aspnet:8.0-alpine3.22",
            "aspnet images contain aspnet and runtime; it affects Linux and musl-based Linux",
        ),
        (
            "runtime aspnet sdk",
            "linux macos windows other",
            "sdk:8.0",
            "sdk images contain aspnet, runtime and sdk; it affects Linux, macOS, other and Windows",
        ),
        ("aspnet sdk", "", "runtime:8.0", "it touches aspnet and sdk, which runtime images do not contain"),
    ],
)
def test_the_reasons_name_all_that_is_touched(families: str, systems: str, name: str, words: str) -> None:
    assert relevance(advisory(families, systems), base(name)).text == words


def test_a_windows_image_is_no_linux_image_whatever_its_tag_says() -> None:
    windows = ["windows/amd64"]
    assert not relevance(advisory("runtime", "linux"), base("aspnet:8.0"), platforms=windows)
    assert not relevance(advisory("runtime", "musl"), base("aspnet:8.0-alpine"), platforms=windows)
    assert relevance(advisory("runtime", "musl"), base("aspnet:8.0-alpine"), platforms=[*windows, "linux/amd64"])


def test_a_distribution_that_was_seen_says_what_the_tag_does_not() -> None:
    noble = {"distributions": ["noble"]}
    assert not relevance(advisory("runtime", "musl"), base("aspnet:8.0-alpine"), **noble)
    assert relevance(advisory("runtime", "musl"), base("aspnet:8.0"), distributions=["noble", "alpine3.22"])


def test_the_platforms_that_were_observed_say_which_system_it_is() -> None:
    windows = seen("1", image("1", platform="windows/amd64", os=None))
    assert relevance_to(advisory("runtime", "windows"), windows)
    assert not relevance_to(advisory("runtime", "linux"), windows)
    assert not relevance_to(advisory("runtime", "musl"), seen("1", image("1", os="noble"), of="aspnet:8.0-alpine"))
    assert relevance_to(advisory("runtime", "musl"), seen("1", image("1", os=None), of="aspnet:8.0-alpine"))
