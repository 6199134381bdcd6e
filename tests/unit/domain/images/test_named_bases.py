"""Which bases an image may be built from, as far as the files of its repository tell."""

from dataclasses import replace

import pytest

from bot.domain.images.named_bases import (
    NOTHING_NAMED,
    NamedBase,
    NamedBases,
    holds_dotnet,
    is_official,
    lacks_dotnet,
    may_hide,
)
from bot.domain.reference import Base
from bot.domain.repositories.usage import BUILT_UPON, Role
from tests.builders import ASPNET, SDK

DEPS = Base("mcr.microsoft.com", "dotnet/runtime-deps", "10.0")
RUNTIME = Base("mcr.microsoft.com", "dotnet/runtime", "10.0")
GOLDEN = Base("ghcr.io", "contoso/golden", "latest")
DEBIAN = Base("docker.io", "library/debian", "12")
NINE = replace(ASPNET, tag="9.0")
TOOLS = Base("ghcr.io", "contoso/sdk", "1")


def final(base: Base | None, path: str = "Dockerfile", named_at: str = "") -> NamedBase:
    return NamedBase(base, Role.FINAL_STAGE, path, named_at)


def test_the_last_stage_is_built_from_its_base_and_other_stages_go_into_the_build() -> None:
    build = NamedBase(SDK, Role.BUILD_STAGE, "Dockerfile")
    assert NamedBases.of([build, final(ASPNET)], "Dockerfile") == NamedBases((ASPNET,), (ASPNET, SDK))


@pytest.mark.parametrize("role", [Role.FINAL_STAGE, Role.BASE_IMAGE, Role.IMPLICIT_BASE])
def test_what_a_file_names_as_the_last_stages_base_is_that(role: Role) -> None:
    assert NamedBases.of([NamedBase(ASPNET, role, "a")], "a").final == (ASPNET,)


@pytest.mark.parametrize("role", [Role.BUILD_STAGE, Role.COPIED_FROM, Role.MOUNTED_FROM])
def test_what_goes_into_another_stage_is_no_base_of_the_image(role: Role) -> None:
    assert NamedBases.of([NamedBase(ASPNET, role, "a")], "a") == NamedBases((), (ASPNET,))


@pytest.mark.parametrize("role", sorted(set(Role) - BUILT_UPON))
def test_what_is_only_run_goes_into_no_build(role: Role) -> None:
    assert NamedBases.of([NamedBase(ASPNET, role, "a")], "") == NOTHING_NAMED == NamedBases((), ())


OF_TWO_FILES = (
    NamedBase(SDK, Role.BUILD_STAGE, "a/Dockerfile"),
    final(ASPNET, "a/Dockerfile"),
    final(NINE, "b/Dockerfile"),
)


def test_the_file_that_builds_an_image_tells_alone() -> None:
    assert NamedBases.of(OF_TWO_FILES, "a/Dockerfile") == NamedBases((ASPNET,), (ASPNET, SDK))
    assert NamedBases.of(OF_TWO_FILES, "b/Dockerfile") == NamedBases((NINE,), (NINE,))


def test_where_it_is_not_known_which_file_builds_an_image_all_of_them_count() -> None:
    assert NamedBases.of(OF_TWO_FILES) == NamedBases((ASPNET, NINE), (ASPNET, NINE, SDK))
    assert NamedBases.of([final(DEPS, "b/Dockerfile"), final(ASPNET, "a/Dockerfile")]).final == (ASPNET, DEPS)


@pytest.mark.parametrize("role", [Role.BUILD_ARGUMENT, Role.CONTEXT])
def test_what_a_build_gives_to_some_file_may_be_the_base_of_any(role: Role) -> None:
    given = NamedBase(GOLDEN, role, "compose.yaml")
    assert NamedBases.of([final(ASPNET), given], "Dockerfile").final == (GOLDEN, ASPNET)
    assert NamedBases.of([*OF_TWO_FILES, given], "b/Dockerfile") == NamedBases((GOLDEN, NINE), (GOLDEN, NINE))


def test_a_base_that_a_build_hands_to_a_file_is_of_that_file() -> None:
    """The text stands in the workflow, and the Dockerfile has a default of its own."""
    handed = final(ASPNET, ".github/workflows/build.yml", named_at="Dockerfile")
    assert NamedBases.of([handed, NamedBase(SDK, Role.BUILD_STAGE, "Dockerfile")], "Dockerfile").final == (ASPNET,)
    assert NamedBases.of([handed, final(NINE)], "Dockerfile").final == (ASPNET, NINE)
    assert NamedBases.of([handed, final(DEPS, "other/Dockerfile")], "Dockerfile").final == (ASPNET,)


def test_another_files_base_is_not_that_of_a_file_whose_own_nobody_watches() -> None:
    others = [final(ASPNET, "b/Dockerfile"), NamedBase(SDK, Role.BUILD_STAGE, "b/Dockerfile")]
    assert NamedBases.of(others, "a/Dockerfile") == NamedBases()


def test_a_base_that_nobody_watches_leaves_open_which_it_is() -> None:
    assert NamedBases.of([final(ASPNET), final(None)], "Dockerfile") == NamedBases((ASPNET,), (ASPNET,), True)
    copied = NamedBase(None, Role.COPIED_FROM, "Dockerfile")
    assert not NamedBases.of([final(ASPNET), copied], "Dockerfile").is_open
    assert not NamedBases.of([final(ASPNET), final(None, "b/Dockerfile")], "Dockerfile").is_open


@pytest.mark.parametrize(
    ("upper", "lower", "may"),
    [
        (ASPNET, DEPS, True),
        (ASPNET, RUNTIME, True),
        (RUNTIME, DEPS, True),
        (SDK, DEPS, True),
        (SDK, ASPNET, True),
        (DEPS, ASPNET, False),
        (RUNTIME, ASPNET, False),
        (DEPS, RUNTIME, False),
        (ASPNET, SDK, False),
        (GOLDEN, ASPNET, True),
        (ASPNET, GOLDEN, True),
        (NINE, ASPNET, False),
        (ASPNET, NINE, False),
        (Base("registry.contoso.com", "dotnet/aspnet", "10.0"), ASPNET, True),
        (ASPNET, Base("registry.contoso.com", "dotnet/aspnet", "10.0"), True),
        (TOOLS, ASPNET, True),
        (DEPS, TOOLS, True),
        (Base("registry.contoso.com", "mcr/dotnet/aspnet", "10.0"), DEPS, True),
        (Base("registry.contoso.com", "mcr/dotnet/runtime", "10.0"), ASPNET, False),
        (Base("registry.contoso.com", "tools/sdk", "1"), SDK, True),
        (Base("registry.contoso.com", "tools/runtime-deps", "1"), ASPNET, True),
    ],
)
def test_a_build_may_hide_what_it_is_built_on_or_a_copy_of(upper: Base, lower: Base, may: bool) -> None:
    assert may_hide(upper, lower) is may


@pytest.mark.parametrize("lower", [ASPNET, DEPS, GOLDEN])
def test_an_image_of_docker_itself_stands_on_none_but_such(lower: Base) -> None:
    """Docker's official images are built on each other alone, so a frontend on `nginx` hides no .NET base."""
    assert not may_hide(DEBIAN, lower)
    assert may_hide(lower, DEBIAN)
    assert may_hide(Base("docker.io", "library/nginx", "1"), DEBIAN)


def test_an_application_on_runtime_deps_brings_its_own_dotnet_wherever_that_is_mirrored() -> None:
    assert lacks_dotnet(DEPS)
    assert lacks_dotnet(Base("registry.contoso.com", "mcr/dotnet/runtime-deps", "10.0"))
    assert lacks_dotnet(Base("registry.contoso.com", "mirror/dotnet/runtime-deps", "10.0"))
    assert not any(map(lacks_dotnet, (RUNTIME, ASPNET, SDK, GOLDEN)))


def test_an_image_of_microsoft_above_runtime_deps_or_its_mirror_holds_a_dotnet_runtime() -> None:
    mirror = Base("registry.contoso.com", "mcr/dotnet/aspnet", "10.0")
    assert all(map(holds_dotnet, (RUNTIME, ASPNET, SDK, mirror)))
    assert not any(map(holds_dotnet, (DEPS, GOLDEN, DEBIAN, Base("ghcr.io", "tools/sdk", "1"))))


def test_dockers_own_images_are_those_of_its_library() -> None:
    assert is_official(DEBIAN.name)
    assert not any(map(is_official, ("docker.io/contoso/debian", "ghcr.io/docker.io/library/debian")))
