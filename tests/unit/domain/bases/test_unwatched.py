"""Which .NET images nobody watches, and what an image is counted as."""

import pytest

from bot.domain.bases.dotnet import (
    ImageFamily,
    Unwatched,
    family_of,
    is_microsofts,
    references_by_family,
    unwatched,
)
from bot.domain.reference import Reference

DEFAULT = ["mcr.microsoft.com/dotnet/*"]
ALLOWED = ["mcr.microsoft.com"]


def told(*references: str) -> list[Unwatched]:
    return list(unwatched(map(Reference.parse, references), DEFAULT, ALLOWED))


@pytest.mark.parametrize(
    ("name", "base", "registry"),
    [
        ("mcr.microsoft.com/devcontainers/dotnet", "mcr.microsoft.com/devcontainers/dotnet", None),
        ("mcr.microsoft.com/azure-functions/dotnet", "mcr.microsoft.com/azure-functions/dotnet", None),
        ("cgr.dev/chainguard/dotnet-runtime", "cgr.dev/chainguard/dotnet-runtime", "cgr.dev"),
        ("cgr.dev/chainguard/aspnet-runtime", "cgr.dev/chainguard/aspnet-runtime", "cgr.dev"),
        ("dhi.io/aspnetcore", "dhi.io/aspnetcore", "dhi.io"),
        ("ubuntu/dotnet-aspnet", "docker.io/ubuntu/dotnet-aspnet", "docker.io"),
        ("registry.access.redhat.com/ubi8/dotnet-80", "registry.access.redhat.com/ubi8/dotnet-80",
         "registry.access.redhat.com"),
        ("r.example.com/mirror/dotnet/aspnet", "r.example.com/mirror/dotnet/*", "r.example.com"),
        ("r.example.com/mirror/dotnet/framework/sdk", "r.example.com/mirror/dotnet/*", "r.example.com"),
        ("mcr.microsoft.com/windows/servercore", "mcr.microsoft.com/windows/servercore", None),
    ],
)  # fmt: skip
def test_the_line_that_would_take_it_in_is_told(name: str, base: str, registry: str | None) -> None:
    [one] = told(f"{name}:1")
    assert (one.base, one.registry) == (base, registry)
    assert unwatched([Reference.parse(f"{name}:1")], [one.base], []) == ()


@pytest.mark.parametrize(
    "name", ["mcr.microsoft.com/dotnet/aspnet:8.0", "postgres:16", "mcr.microsoft.com/mssql/server", "x"]
)
def test_what_is_watched_or_holds_no_dotnet_is_not_told(name: str) -> None:
    assert told(name) == []


def test_each_image_is_told_once_the_most_used_first() -> None:
    found = told("dhi.io/dotnet:8", "mcr.microsoft.com/devcontainers/dotnet:1", "dhi.io/dotnet:9")
    assert [str(each) for each in found] == [
        "dhi.io/dotnet (.NET, 2 references) is not watched; to watch it, add dhi.io/dotnet to bases "
        "(and dhi.io to registries)",
        "mcr.microsoft.com/devcontainers/dotnet (.NET, 1 reference) is not watched; to watch it, add "
        "mcr.microsoft.com/devcontainers/dotnet to bases",
    ]


@pytest.mark.parametrize(
    ("name", "family"),
    [
        ("mcr.microsoft.com/dotnet/framework/aspnet:4.8", ImageFamily.FRAMEWORK),
        ("mcr.microsoft.com/dotnet/nightly/sdk:11.0", ImageFamily.DOTNET),
        ("mcr.microsoft.com/windows/nanoserver:ltsc2022", ImageFamily.WINDOWS),
        ("microsoft/windowsservercore", ImageFamily.WINDOWS),
        ("microsoft/dotnet:2.2-sdk", ImageFamily.DOTNET),
        ("contoso/windows", None),
        ("contoso/nodotnet", None),
    ],
)
def test_an_image_is_counted_as_what_it_is(name: str, family: ImageFamily | None) -> None:
    assert family_of(Reference.parse(name)) == family
    assert dict(references_by_family([Reference.parse(name)])) == ({family: 1} if family else {})


def test_families_go_by_the_words_that_people_use() -> None:
    assert [family.value for family in ImageFamily] == [".NET", ".NET Framework", "Windows"]
    assert [is_microsofts(name) for name in ("mcr.microsoft.com", "docker.io")] == [True, False]
    assert Unwatched("x", ImageFamily.DOTNET, 1, "x").registry is None


@pytest.mark.parametrize(
    ("name", "family"),
    [
        ("mcr.microsoft.com/windows", ImageFamily.WINDOWS),
        ("mcr.microsoft.com/windows/server:ltsc2022", ImageFamily.WINDOWS),
        ("mcr.microsoft.com/windows/servercore/iis", ImageFamily.WINDOWS),
        ("mcr.microsoft.com/windows/other", None),
        ("microsoft/nanoserver", ImageFamily.WINDOWS),
        ("contoso/nanoserver", None),
        ("contoso/dotnetcore", ImageFamily.DOTNET),
        ("contoso/netcore31", ImageFamily.DOTNET),
        ("contoso/my.dotnet_app", ImageFamily.DOTNET),
        ("contoso/dotnetfoo", None),
        ("contoso/dotnet-framework", ImageFamily.FRAMEWORK),
        ("microsoft/dotnet-framework-build", ImageFamily.FRAMEWORK),
        ("contoso/dotnet-frameworks", ImageFamily.DOTNET),
    ],
)
def test_a_name_says_what_an_image_holds(name: str, family: ImageFamily | None) -> None:
    assert family_of(Reference.parse(name)) == family


def test_images_that_are_used_as_often_stand_in_the_order_of_their_names() -> None:
    assert [each.name for each in told("dhi.io/dotnet:8", "cgr.dev/dotnet:8")] == [
        "cgr.dev/dotnet",
        "dhi.io/dotnet",
    ]
