from bot.domain.reference import Base, Reference
from bot.domain.repositories.usage import Kind, Role, Usage
from bot.fleet.plan.cascade.graph import Image
from bot.fleet.plan.cascade.parts import RepositoryImages, parts_of
from tests.unit.fleet.plan.cascade.world import upstream

R = 7
SDK, APP = "ghcr.io/contoso/sdk", "ghcr.io/contoso/app"
RUNTIME, TOOLS = upstream(0), upstream(1)


def naming(base: Base, path: str, role: Role = Role.FINAL_STAGE) -> tuple[Base, Usage]:
    kind = Kind("dockerfile" if role is Role.FINAL_STAGE else "workflow")
    return base, Usage(path, kind, 1, Reference.parse(str(base)), role)


def told(built_from: dict[str, str], *named: tuple[Base, Usage]) -> RepositoryImages:
    return parts_of(R, built_from, named)


def test_each_image_is_built_upon_what_its_own_file_names() -> None:
    parts = told(
        {SDK: "sdk/Dockerfile", APP: "Dockerfile"}, naming(TOOLS, "sdk/Dockerfile"), naming(RUNTIME, "Dockerfile")
    )
    assert parts.bases == {Image(R, SDK): {TOOLS}, Image(R, APP): {RUNTIME}}
    assert parts.upon({TOOLS}) == {Image(R, SDK)}


def test_what_a_workflow_names_belongs_to_all_images() -> None:
    parts = told(
        {SDK: "sdk/Dockerfile", APP: "Dockerfile"},
        naming(TOOLS, ".github/workflows/build.yml", Role.BUILD_ARGUMENT),
    )
    assert parts.bases == {Image(R, SDK): {TOOLS}, Image(R, APP): {TOOLS}}


def test_an_image_of_which_nothing_tells_its_file_may_be_built_upon_anything() -> None:
    parts = told({SDK: "sdk/Dockerfile", APP: ""}, naming(TOOLS, "sdk/Dockerfile"), naming(RUNTIME, "Dockerfile"))
    assert parts.bases == {Image(R, SDK): {TOOLS}, Image(R): {TOOLS, RUNTIME}}
    assert parts.image_named(APP) == Image(R)


def test_a_dockerfile_of_which_no_image_is_known_stands_apart() -> None:
    parts = told({SDK: "sdk/Dockerfile", APP: "Dockerfile"}, naming(RUNTIME, "tests/Dockerfile"))
    assert parts.upon({RUNTIME}) == {Image(R)}


def test_a_rebuild_for_what_no_file_names_any_more_is_for_all_images() -> None:
    parts = told({SDK: "sdk/Dockerfile", APP: "Dockerfile"}, naming(TOOLS, "sdk/Dockerfile"))
    assert parts.upon({RUNTIME}) == {Image(R, SDK), Image(R, APP)}


def test_where_no_file_of_an_image_is_known_it_is_built_upon_what_nothing_names_too() -> None:
    parts = told({SDK: "sdk/Dockerfile", APP: ""})
    assert parts.bases == {Image(R, SDK): frozenset(), Image(R): frozenset()}


def test_of_a_repository_of_which_no_image_is_known_a_rebuild_is_for_what_stands_for_all() -> None:
    assert told({}).upon({TOOLS}) == {Image(R)}


def test_an_image_whose_file_is_known_stands_for_itself_and_any_other_for_all() -> None:
    parts = told({SDK: "sdk/Dockerfile", APP: ""})
    assert parts.image_named(SDK) == Image(R, SDK)
    assert parts.image_named("ghcr.io/contoso/unknown") == Image(R)
