"""What workflows push with Red Hat's actions."""

import pytest

from bot.domain.images.claims import NamedImage
from tests.unit.files.formats.produced.naming import named_in

WORKFLOW = ".github/workflows/build.yml"


def action(name: str, identity: str = "", **inputs: str) -> str:
    given = "".join(f"          {key.replace('_', '-')}: {value}\n" for key, value in inputs.items())
    begin = f"id: {identity}\n        uses" if identity else "uses"
    return f"      - {begin}: {name}\n        with:\n{given}"


def images(*steps: str) -> list[NamedImage]:
    text = "jobs:\n  build:\n    runs-on: ubuntu-latest\n    steps:\n" + "".join(steps)
    return named_in(WORKFLOW, text.encode())


def named(*steps: str) -> list[str]:
    return [f"{each.name}:{each.tag}" for each in images(*steps)]


BUILD, PUSH = "redhat-actions/buildah-build@v2", "redhat-actions/push-to-registry@v2"
PUT_IN = {"image": "${{ steps.build.outputs.image }}", "tags": "${{ steps.build.outputs.tags }}"}


def test_what_buildah_build_builds_is_pushed_to_the_registry() -> None:
    build = action(
        BUILD, "build", image="shop", tags="latest ${{ github.sha }}", containerfiles="src/Containerfile"
    )
    found = images(build, action(PUSH, registry="quay.io/contoso/", **PUT_IN))
    assert [f"{each.name}:{each.tag}" for each in found] == [
        "quay.io/contoso/shop:latest",
        "quay.io/contoso/shop:{sha}",
    ]
    assert {(each.built_from, each.line, each.pulls) for each in found} == {(("src/Containerfile",), 5, None)}


def test_what_is_only_built_is_no_image() -> None:
    assert named(action(BUILD, image="quay.io/contoso/shop", tags="latest")) == []


SHOP = "quay.io/contoso/shop"
AT = {"image": "shop", "registry": "quay.io/contoso"}


@pytest.mark.parametrize(
    ("inputs", "expected"),
    [
        (AT, [f"{SHOP}:latest"]),
        ({"tags": f"{SHOP}:8.0 {SHOP}:9.0"}, [f"{SHOP}:8.0", f"{SHOP}:9.0"]),
        ({**AT, "tags": "${{ steps.x.outputs.tags }}"}, [f"{SHOP}:*"]),
        ({"image": "shop", "tags": "8.0"}, []),
        ({"registry": "quay.io", "tags": "8.0"}, []),
    ],
)
def test_push_to_registry_names_what_it_pushes(inputs: dict[str, str], expected: list[str]) -> None:
    assert named(action(PUSH, **inputs)) == expected


def test_whole_names_by_metadata_action_go_through_both_actions() -> None:
    meta = action("docker/metadata-action@v5", "meta", images="ghcr.io/contoso/shop", tags='"type=raw,value=8.0"')
    build = action(BUILD, "build", image="shop", tags="${{ steps.meta.outputs.tags }}", dockerfiles="./Dockerfile")
    [image] = images(meta, build, action(PUSH, registry="quay.io", **PUT_IN))
    assert (f"{image.name}:{image.tag}", image.built_from) == ("ghcr.io/contoso/shop:8.0", ("Dockerfile",))


def test_the_names_of_the_actions_may_be_pushed_by_a_command() -> None:
    build = action(BUILD, "build", image="ghcr.io/contoso/shop", tags="8.0", containerfiles="Containerfile")
    [image] = images(build, "      - run: podman push ${{ steps.build.outputs.image-with-tag }}\n")
    assert (f"{image.name}:{image.tag}", image.built_from) == ("ghcr.io/contoso/shop:8.0", ("Containerfile",))


@pytest.mark.parametrize("files", ["", "[a, b]", '"a\\nb"', "${{ matrix.file }}"])
def test_it_is_not_known_what_is_built_from_no_dockerfile_or_several(files: str) -> None:
    build = action(BUILD, "build", image="shop", **({"containerfiles": files} if files else {}))
    [image] = images(build, action(PUSH, registry="quay.io/contoso", **PUT_IN))
    assert (f"{image.name}:{image.tag}", image.built_from) == ("quay.io/contoso/shop:latest", ())
