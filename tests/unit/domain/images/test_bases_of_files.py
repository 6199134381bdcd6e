"""Which bases the files of a repository say that an image is built from."""

import pytest

from bot.domain.images.named_bases import NOTHING_NAMED, NamedBase, NamedBases, lacks_dotnet, may_hide
from bot.domain.reference import Base
from bot.domain.repositories.usage import Role
from tests.builders import ASPNET, SDK

NINE = Base(ASPNET.registry, ASPNET.repository, "9.0")


def dotnet(family: str, registry: str = "mcr.microsoft.com") -> Base:
    return Base(registry, f"dotnet/{family}", "10.0")


DEPS, RUNTIME = dotnet("runtime-deps"), dotnet("runtime")
GOLDEN = Base("ghcr.io", "contoso/golden", "latest")
NAMED = (
    NamedBase(SDK, Role.BUILD_STAGE, "a/Dockerfile"),
    NamedBase(ASPNET, Role.FINAL_STAGE, "a/Dockerfile"),
    NamedBase(NINE, Role.FINAL_STAGE, "b/Dockerfile"),
)


def test_the_file_that_builds_an_image_names_its_base_and_its_stages() -> None:
    assert NamedBases.of(NAMED, "a/Dockerfile") == NamedBases((ASPNET,), (ASPNET, SDK))
    assert NamedBases.of(NAMED, "b/Dockerfile") == NamedBases((NINE,), (NINE,))


@pytest.mark.parametrize("built_from", [""])
def test_where_no_file_is_known_to_build_it_all_count(built_from: str) -> None:
    assert NamedBases.of(NAMED, built_from) == NamedBases((ASPNET, NINE), (ASPNET, NINE, SDK))


@pytest.mark.parametrize("role", [Role.BUILD_ARGUMENT, Role.CONTEXT])
def test_a_base_that_another_file_hands_to_the_build_may_be_that_of_the_last_stage(role: Role) -> None:
    named = [*NAMED, NamedBase(GOLDEN, role, "build.yml")]
    assert NamedBases.of(named, "b/Dockerfile") == NamedBases((GOLDEN, NINE), (GOLDEN, NINE))


@pytest.mark.parametrize("role", [Role.BASE_IMAGE, Role.IMPLICIT_BASE])
def test_a_base_that_a_project_names_or_implies_is_that_of_its_image(role: Role) -> None:
    assert NamedBases.of([NamedBase(ASPNET, role, "app.csproj")]).final == (ASPNET,)


def test_what_nothing_is_built_upon_is_no_base() -> None:
    assert NamedBases.of([NamedBase(ASPNET, Role.SERVICE, "compose.yaml")]) == NOTHING_NAMED == NamedBases((), ())


@pytest.mark.parametrize(
    ("upper", "lower", "may"),
    [
        (ASPNET, RUNTIME, True),
        (SDK, DEPS, True),
        (RUNTIME, ASPNET, False),
        (ASPNET, NINE, False),
        (ASPNET, dotnet("aspnet", "registry.contoso.com"), True),
        (GOLDEN, ASPNET, True),
        (ASPNET, GOLDEN, True),
        (Base("ghcr.io", "contoso/sdk", "1"), ASPNET, True),
        (DEPS, Base("ghcr.io", "contoso/sdk", "1"), True),
    ],
)
def test_a_base_may_hide_those_that_microsoft_builds_it_upon_and_all_whose_order_nobody_knows(
    upper: Base, lower: Base, may: bool
) -> None:
    assert may_hide(upper, lower) is may


def test_an_application_brings_its_runtime_to_runtime_deps_wherever_that_is_mirrored() -> None:
    assert lacks_dotnet(Base("registry.contoso.com", "mirror/dotnet/runtime-deps", "10.0"))
    assert not lacks_dotnet(RUNTIME)
