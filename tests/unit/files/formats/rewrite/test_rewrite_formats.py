"""Rewrites in the kinds of files that hold references in parts, in defaults and in texts within texts."""

import pytest

from bot.domain.reference import Reference
from bot.domain.repositories.usage import Replacement
from bot.files.formats.rewrite.rewrite import rewrite

OLD = "sha256:" + "a" * 64
NEW = "sha256:" + "b" * 64

COMPOSE = "compose.yaml"
VALUES = "chart/values.yaml"
BAKE = "docker-bake.hcl"
DEVCONTAINER = ".devcontainer/devcontainer.json"
WORKFLOW = ".github/workflows/build.yml"
SCRIPT = "build.sh"
MAKEFILE = "Makefile"
JUSTFILE = "justfile"
GITLAB = ".gitlab-ci.yml"
CIRCLE = ".circleci/config.yml"
MANIFEST = "deploy/web.yaml"
PROJECT = "src/Api.csproj"
PUBLISH_PROFILE = "src/Properties/PublishProfiles/Container.pubxml"

SERVICE = "services:\n  a:\n    image: "
INLINE = "services:\n  a:\n    build:\n      dockerfile_inline: "
GIVEN = INLINE.replace("dockerfile_inline", "args: {V: '8.0'}\n      dockerfile_inline")
POD = "apiVersion: v1\nkind: Pod\nspec: {containers: [{image: "
APPLICATION = "apiVersion: argoproj.io/v1alpha1\nkind: Application\nspec: {source: {kustomize: {images: "
MATRIX = 'target "a" {\n  matrix = { v = ["1", "2"] }\n  contexts = { b = "docker-image://x:${v}" }\n}\n'
PROPERTIES = (
    "<Project><PropertyGroup><T>{}</T><ContainerBaseImage>\n  {}\n</ContainerBaseImage></PropertyGroup></Project>"
)
TARGET = 'T = "8.0"\ntarget "a" {\n  tags = ["app:${T}"]\n  '


@pytest.mark.parametrize(
    ("path", "text", "old", "new", "changes"),
    [
        (COMPOSE, SERVICE + "x/y:${T:-8.0}\n", "x/y:8.0", "x/y:9.0", {"-8.0}": "-9.0}"}),
        (COMPOSE, SERVICE + "x/y:${T:-8.0}\n", "x/y:8.0", f"x/y:8.0@{NEW}", {"8.0}": f"8.0@{NEW}}}"}),
        (COMPOSE, SERVICE + "${I:-x/y:8.0}\n", "x/y:8.0", f"x/y:9.0@{NEW}", {"8.0": f"9.0@{NEW}"}),
        (COMPOSE, SERVICE + "${R:-x}/y:8.0\n", "x/y:8.0", f"x/y:9.0@{NEW}", {"8.0": f"9.0@{NEW}"}),
        (COMPOSE, SERVICE + "y:${A:-8}.${B:-0}\n", "y:8.0", "y:9.0", {"-8}": "-9}"}),
        (COMPOSE, SERVICE + "y:${A:-8}.${B:-0}\n", "y:8.0", "y:10.1", {"-8}": "-10}", "-0}": "-1}"}),
        ("Dockerfile", "ARG A=8\nARG C=3\nFROM y:${A}.0.${C}-noble\n", "y:8.0.3-noble", "y:9.0.4-noble",
         {"A=8": "A=9", "C=3": "C=4"}),
        (COMPOSE, SERVICE + "'y' # c\n", "y", f"y:9.0@{NEW}", {"'y'": f"'y:9.0@{NEW}'"}),
        (COMPOSE, SERVICE + ">-\n      y:8.0\n", "y:8.0", "y:9.0", {"8.0": "9.0"}),
        (COMPOSE, INLINE + '"FROM x:8.0\\nRUN y"\n', "x:8.0", f"x:9.0@{NEW}", {"8.0": f"9.0@{NEW}"}),
        (COMPOSE, INLINE + "|\r\n        FROM x:8.0\r\n", "x:8.0", "x:9.0", {"8.0": "9.0"}),
        (COMPOSE, INLINE + "|\n        FROM x:${T:-8.0}\n", "x:8.0", f"x:8.0@{NEW}", {"8.0": f"8.0@{NEW}"}),
        (COMPOSE, GIVEN + "|\n        ARG V=1\n        FROM x:$${V}\n", "x:8.0", f"x:9.0@{NEW}",
         {"8.0": f"9.0@{NEW}"}),
        (VALUES, "image: {repository: x, tag: 8.0}\n", "x:8.0", f"x:9.0@{NEW}", {"8.0": f"9.0@{NEW}"}),
        (VALUES, f"image: {{repository: x, tag: '8.0', digest: {OLD}}}\n", f"x:8.0@{OLD}", f"x:9.0@{NEW}",
         {"8.0": "9.0", OLD: NEW}),
        (VALUES, f"image: {{repository: x, digest: '{OLD}'}}\n", f"x@{OLD}", f"x@{NEW}", {OLD: NEW}),
        (VALUES, "image: {registry: r.io, repository: x, tag: v8}\n", "r.io/x:v8", "r.io/z:v9",
         {" x,": " z,", "v8": "v9"}),
        (VALUES, "image: {registry: r.io, repository: x, tag: v8}\n", "r.io/x:v8", "r.io/m/x:v8", {" x,": " m/x,"}),
        (VALUES, "image:\n  repository: x\n  tag: latest # c\n", "x:latest", "x:1.20", {"latest": '"1.20"'}),
        (VALUES, "image: {repository: x, tag: 0a1b2c3}\n", "x:0a1b2c3", "x:1234567", {"0a1b2c3": '"1234567"'}),
        (VALUES, "image: {repository: x, tag: &t v8}\n", "x:v8", "x:9", {"v8": '"9"'}),
        (VALUES, "image:\n  repository: x\n  tag:\n    v8\n", "x:v8", "x:9", {"v8": '"9"'}),
        (VALUES, "image: {repository: x, tag: 'v8'}\n", "x:v8", "x:9", {"v8": "9"}),
        (VALUES, "image:\n  repository: x\n  tag: |-\n    v8\n", "x:v8", "x:9", {"v8": "9"}),
        (VALUES, "image:\n  repository: x\n  tag: 1.10\n", "x:1.10", "x:1.20", {"1.10": "1.20"}),
        (VALUES, "imageName: x\nimageTag: 1.10\n", "x:1.10", f"x:1.20@{NEW}", {"1.10": f"1.20@{NEW}"}),
        (MANIFEST, APPLICATION + "[a=r.io/x:8.0]}}}", "r.io/x:8.0", f"r.io/x:9.0@{NEW}", {"8.0": f"9.0@{NEW}"}),
        ("deploy/stack.yml", SERVICE + "x:8.0\n", "x:8.0", f"x:9.0@{NEW}", {"8.0": f"9.0@{NEW}"}),
        (BAKE, TARGET + 'contexts = { b = "docker-image://x:${T}" }\n}\n', "x:8.0", "x:9.0", {'"8.0"': '"9.0"'}),
        (BAKE, TARGET + 'contexts = { b = "docker-image://x:${T}" }\n}\n', "x:8.0", f"x:9.0@{NEW}",
         {'"8.0"': '"9.0"', "x:${T}": f"x:${{T}}@{NEW}"}),
        (BAKE, TARGET + "dockerfile-inline = <<EOT\nFROM x:${T}\nEOT\n}\n", "x:8.0", f"x:9.0@{NEW}",
         {'"8.0"': '"9.0"', "x:${T}": f"x:${{T}}@{NEW}"}),
        (BAKE, TARGET + 'dockerfile-inline = "FROM x:${T}"\n}\n', "x:8.0", f"x:8.0@{NEW}",
         {"x:${T}": f"x:${{T}}@{NEW}"}),
        (BAKE, MATRIX, "x:1", "x:3", {'"1"': '"3"'}),
        ("docker-bake.json", '{"target": {"a": {"dockerfile-inline": "FROM x:8.0\\nRUN y"}}}', "x:8.0", "x:9.0",
         {"8.0": "9.0"}),
        (SCRIPT, "docker run --rm \\\n  x:8.0 a\n", "x:8.0", f"x:9.0@{NEW}", {"8.0": f"9.0@{NEW}"}),
        (SCRIPT, "I='r.io/x:8.0'\ndocker pull $I\n", "r.io/x:8.0", f"r.io/x:9.0@{NEW}", {"8.0": f"9.0@{NEW}"}),
        (WORKFLOW, "on: push\njobs: {a: {steps: [{run: 'docker run x:8.0'}]}}\n", "x:8.0", "x:9.0", {"8.0": "9.0"}),
        (MAKEFILE, "I ?= x:8.0 # c\nt:\n\t@docker run $(I)\n\tdocker pull ${I}\n", "x:8.0", f"x:9.0@{NEW}",
         {"8.0": f"9.0@{NEW}"}),
        (JUSTFILE, 'i := "x:8.0"\nt:\n    docker run {{i}} {{ v }}\n', "x:8.0", "x:9.0", {"8.0": "9.0"}),
        (GITLAB, "variables: {I: 'x:8.0'}\nb:\n  image: $I\n  script: [docker run $I]\n", "x:8.0", f"x:9.0@{NEW}",
         {"8.0": f"9.0@{NEW}"}),
        (GITLAB, "b:\n  image: {name: x:8.0}\n", "x:8.0", f"x:8.0@{NEW}", {"8.0": f"8.0@{NEW}"}),
        (CIRCLE, "jobs:\n  b:\n    docker: [{image: x:8.0}]\n", "x:8.0", f"x:9.0@{NEW}", {"8.0": f"9.0@{NEW}"}),
        (CIRCLE, "parameters: {i: {default: x:8.0}}\njobs: {b: {docker: [{image: << pipeline.parameters.i >>}]}}\n",
         "x:8.0", "x:9.0", {"8.0": "9.0"}),
        ("docker-compose.yml", "db:\n  image: x:8.0\n", "x:8.0", f"x:9.0@{NEW}", {"8.0": f"9.0@{NEW}"}),
        (DEVCONTAINER, '{"image": "x:${localEnv:T:8.0}", }', "x:8.0", f"x:9.0@{NEW}", {"8.0}": f"9.0}}@{NEW}"}),
        (DEVCONTAINER, '{"image": "r.io\\/x:8.0"} // end', "r.io/x:8.0", "r.io/x:9.0", {"8.0": "9.0"}),
        (DEVCONTAINER, '{"features": {"r.io/f/x:1": {}}}', "r.io/f/x:1", "r.io/f/x:2", {":1": ":2"}),
        (WORKFLOW, "jobs: {a: {container: 'docker://x:8.0'}}", "x:8.0", f"x:9.0@{NEW}", {"8.0": f"9.0@{NEW}"}),
        (WORKFLOW, "jobs: {a: {steps: [{uses: docker://x:8.0}]}}", "x:8.0", "x:9.0", {"8.0": "9.0"}),
        (PROJECT, PROPERTIES.format("8.0", "r.io/x:$(T)"), "r.io/x:8.0", f"r.io/x:9.0@{NEW}",
         {">8.0<": ">9.0<", "x:$(T)": f"x:$(T)@{NEW}"}),
        (PROJECT, PROPERTIES.format("r.io/x:8.0", "$(T)"), "r.io/x:8.0", f"r.io/x:9.0@{NEW}",
         {"8.0": f"9.0@{NEW}"}),
        (PUBLISH_PROFILE, PROPERTIES.format("1", "r.io/x:8.0"), "r.io/x:8.0", "r.io/x:9.0", {"8.0": "9.0"}),
        (MANIFEST, POD + "&i x:8.0}, {image: *i}]}\n", "x:8.0", "x:9.0", {"8.0": "9.0"}),
        ("kustomization.yaml", "images: [{name: x, newTag: v8}]\n", "x:v8", "x:9.0", {"v8": '"9.0"'}),
        (VALUES, f"image: {{repository: x@sha256, tag: {OLD[7:]}}}\n", f"x@{OLD}", f"x@{NEW}", {OLD[7:]: NEW[7:]}),
        (MANIFEST, POD + '"x"}]}\n', "x", f"x:9.0@{NEW}", {'"x"': f'"x:9.0@{NEW}"'}),
    ],
)  # fmt: skip
def test_only_what_changes_is_written(path: str, text: str, old: str, new: str, changes: dict[str, str]) -> None:
    expected = text
    for before, after in changes.items():
        assert expected.count(before) == 1
        expected = expected.replace(before, after)

    rewritten = rewrite(path, text.encode(), [Replacement(Reference.parse(old), Reference.parse(new))])

    assert rewritten.refused == ()
    assert rewritten.data.decode() == expected


@pytest.mark.parametrize(
    ("path", "text", "old", "new"),
    [
        (COMPOSE, SERVICE + "y:${A:-8}.${B:-0}\n", "y:8.0", "y:10"),
        (COMPOSE, SERVICE + "y:${A:-8}.${B:-0}\n", "y:8.0", "y:10-1"),
        (BAKE, MATRIX, "x:1", f"x:1@{NEW}"),
        (COMPOSE, SERVICE + "'\\x'\n  b:\n    image: \"\\x78:\\x31\"\n", "x:1", "x:2"),
    ],
)  # fmt: skip
def test_what_cannot_be_written_is_refused_and_leaves_the_file(path: str, text: str, old: str, new: str) -> None:
    rewritten = rewrite(path, text.encode(), [Replacement(Reference.parse(old), Reference.parse(new))])

    assert rewritten.data.decode() == text
    assert len(rewritten.refused) == 1


BOTH_SHARE = {
    COMPOSE: INLINE + '"ARG V=8.0\\nFROM x:$$V\\nFROM y:$$V-noble"\n',
    BAKE: TARGET + 'contexts = { x = "docker-image://x:${T}", y = "docker-image://y:${T}-noble" }\n}\n',
    PROJECT: PROPERTIES.format("8.0", "x:$(T)").replace(
        "<Con", "<ContainerBaseImage>y:$(T)-noble</ContainerBaseImage><Con"
    ),
}


@pytest.mark.parametrize("path", BOTH_SHARE)
def test_a_version_that_two_references_share_changes_once(path: str) -> None:
    wanted = [
        Replacement(Reference.parse("x:8.0"), Reference.parse("x:9.0")),
        Replacement(Reference.parse("y:8.0-noble"), Reference.parse("y:9.0-noble")),
    ]

    rewritten = rewrite(path, BOTH_SHARE[path].encode(), wanted)

    assert rewritten.refused == ()
    assert rewritten.edits == 1
    assert rewritten.data.decode() == BOTH_SHARE[path].replace("8.0", "9.0")
