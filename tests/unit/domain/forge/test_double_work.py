"""Which images another bot's pull request brings that this bot brings too."""

import pytest

from bot.domain.forge.pull_requests import OtherRequest, images_twice, may_bring_images
from bot.domain.reference import Base

MICROSOFT = "mcr.microsoft.com"
BASES = [
    Base(MICROSOFT, "dotnet/aspnet", "10.0"),
    Base(MICROSOFT, "dotnet/aspnet", "9.0"),
    Base(MICROSOFT, "dotnet/runtime", "10.0"),
    Base("ghcr.io", "contoso/golden", "1"),
]


def request(branch: str, title: str, author: str = "") -> OtherRequest:
    return OtherRequest(7, "https://github.com/contoso/shop/pull/7", "PR_7", branch, "", author, title=title)


@pytest.mark.parametrize(
    ("branch", "title", "images"),
    [
        (
            "renovate/mcr.microsoft.com-dotnet-aspnet-10.x",
            "chore(deps): update mcr.microsoft.com/dotnet/aspnet docker digest to 1a2b3c4",
            ("dotnet/aspnet",),
        ),
        (
            "renovate/aspnet",
            "Update mcr.microsoft.com/dotnet/aspnet:10.0 Docker digest to 1a2b3c4",
            ("dotnet/aspnet",),
        ),
        ("renovate/mcr.microsoft.com-dotnet-aspnet-10.x", "A title of our own", ("dotnet/aspnet",)),
        (
            "renovate/ghcr.io-contoso-golden-1.x",
            "Update ghcr.io/contoso/golden Docker tag to v2",
            ("contoso/golden",),
        ),
        (
            "renovate/dot-net-core",
            "chore(deps): update .net core docker containers",
            ("dotnet/aspnet", "dotnet/runtime"),
        ),
        (
            "dependabot/docker/src/dotnet/aspnet-10.0.1",
            "Bump dotnet/aspnet from 10.0.0 to 10.0.1 in /src",
            ("dotnet/aspnet",),
        ),
        ("dependabot/docker/dotnet/aspnet-1a2b3c4", "Bump it", ("dotnet/aspnet",)),
        ("dependabot/docker/dotnet/runtime-deps-10.0.1", "Bump dotnet/runtime-deps from 10.0.0 to 10.0.1", ()),
        ("renovate/mcr.microsoft.com-dotnet-runtime-deps-10.x", "Update mcr.microsoft.com/dotnet/runtime-deps", ()),
        ("renovate/dotnet-monorepo", "Update dotnet monorepo to v10.0.1", ()),
        ("renovate/redis-8.x", "Update redis Docker tag to v8", ()),
    ],
)
def test_images_are_known_by_the_title_or_by_the_branch(branch: str, title: str, images: tuple[str, ...]) -> None:
    assert images_twice(request(branch, title), BASES) == images


def test_a_persons_pull_request_is_nobodys_double_work() -> None:
    assert images_twice(request("bump", "Bump dotnet/aspnet from 10.0.0 to 10.0.1", "octocat"), BASES) == ()


def test_a_group_that_names_no_image_may_bring_some() -> None:
    assert may_bring_images(request("dependabot/docker/src/images-1a2b3c4d5e", "Bump the images group"))
    assert not may_bring_images(request("dependabot/nuget/packages-1a2b3c4d5e", "Bump the packages group"))
    assert not may_bring_images(request("dependabot/docker/redis-8.2", "Bump redis from 8.0 to 8.2"))
