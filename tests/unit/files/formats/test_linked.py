"""Values that one file hands to the build of another."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.repositories.usage import Findings, Role, Usage
from bot.files.formats.dotenv.variables import variables
from bot.files.formats.linked import is_linked
from bot.files.formats.memory import File, Memory
from bot.files.formats.repository import read_files
from bot.files.formats.table import FORMATS
from tests.unit.files.formats.laws import spans_cover_in_all_files

DOCKERFILE = "ARG TAG\nFROM mcr.microsoft.com/dotnet/aspnet:${TAG}\n"
DEFAULT = DOCKERFILE.replace("ARG TAG", "ARG TAG=8.0")
ASPNET = "mcr.microsoft.com/dotnet/aspnet"


def read(files: dict[str, str]) -> Findings:
    found, _ = read_files([File(path, path, text.encode()) for path, text in files.items()], Memory())
    spans_cover_in_all_files(files, found)
    return found


def named(files: dict[str, str]) -> list[tuple[str, int, str]]:
    found = read(files)
    assert found.problems == ()
    return [(usage.path, usage.line, str(usage.reference)) for usage in found.usages]


def only(files: dict[str, str]) -> Usage:
    [usage] = read(files).usages
    return usage


@pytest.mark.parametrize(
    ("path", "text", "line"),
    [
        ("compose.yaml", "services:\n  a:\n    build:\n      context: src\n      args: {TAG: '9.0'}\n", 5),
        ("compose.yaml", "services: {a: {build: {context: ./src, args: [TAG=9.0]}}}\n", 1),
        (
            "deploy/compose.yaml",
            "services: {a: {build: {context: .., dockerfile: src/Dockerfile, args: [TAG=9.0]}}}\n",
            1,
        ),
        ("compose.yaml", "services: {a: {build: {context: src, args: {TAG: '${T:-9.0}'}}}}\n", 1),
        ("docker-bake.hcl", 'target "a" {\n  context = "src"\n  args = { TAG = "9.0" }\n}\n', 3),
        ("docker-bake.hcl", 'V = "9.0"\ntarget "a" {\n  context = "src"\n  args = { TAG = V }\n}\n', 1),
        (
            "docker-bake.hcl",
            'target "_" { args = { TAG = "9.0" } }\ntarget "a" {\n  inherits = ["_"]\n  context = "src"\n}\n',
            1,
        ),
        ("docker-bake.json", '{"target": {"a": {"context": "src", "args": {"TAG": "9.0"}}}}', 1),
        (
            ".devcontainer/devcontainer.json",
            '{"build": {"dockerfile": "../src/Dockerfile", "args": {"TAG": "9.0"}}}',
            1,
        ),
        ("src/devcontainer.json", '{"dockerFile": "Dockerfile", "build": {"args": {"TAG": "9.0"}}}', 1),
        (".github/workflows/a.yml", "jobs: {a: {steps: [{run: docker build --build-arg TAG=9.0 src}]}}\n", 1),
        (
            ".github/workflows/a.yml",
            "jobs:\n  a:\n    steps:\n    - uses: docker/build-push-action@v6\n      with:\n        context: src\n"
            "        build-args: |\n          A=1\n          TAG=9.0\n",
            9,
        ),
        ("action.yml", "runs: {steps: [{run: docker build --build-arg TAG=9.0 src, shell: bash}]}\n", 1),
        ("azure-pipelines.yml", "steps:\n- script: docker build --build-arg TAG=9.0 src\n", 2),
        ("eng/image.sh", "docker build \\\n  --build-arg TAG=9.0 src\n", 2),
        ("src/image.sh", "docker build --build-arg TAG=9.0 .\n", 1),
        ("build.ps1", "docker build `\n  --build-arg TAG=9.0 src\n", 2),
        (
            ".github/workflows/a.yml",
            "jobs:\n  a:\n    strategy: {matrix: {tag: ['9.0']}}\n    steps:\n"
            "    - run: docker build --build-arg TAG=${{ matrix.tag }} src\n",
            3,
        ),
    ],
)
def test_a_value_from_elsewhere_makes_the_image_where_it_stands(path: str, text: str, line: int) -> None:
    usage = only({path: text, "src/Dockerfile": DOCKERFILE})
    assert (str(usage.reference), usage.role) == (f"{ASPNET}:9.0", Role.FINAL_STAGE)
    assert (usage.path, usage.line, str(usage.named_at)) == (path, line, "src/Dockerfile:2")
    assert usage.span is not None
    assert usage.span.of(text) == "9.0"


BAKE = 'target "_" { args = { OS = "noble" } }\ntarget "api" {\n  inherits = ["_"]\n  context = "src"\n}\n'


@pytest.mark.parametrize(
    ("path", "text", "line"),
    [
        ("build.sh", "docker buildx bake \\\n  --set api.args.TAG=9.0\n", 2),
        ("build.sh", "docker buildx bake --push -f docker-bake.hcl --set '*.args.TAG=9.0' api\n", 1),
        (
            "eng/build.sh",
            "cd $(dirname $0)/..\ndepot bake --set=a*.args.TAG=9.0 --set api.platform=linux/arm64\n",
            2,
        ),
        ("azure-pipelines.yml", "steps:\n- bash: docker buildx bake --set api.args.TAG=9.0\n", 2),
        (
            ".github/workflows/a.yml",
            "jobs:\n  a:\n    steps:\n    - uses: docker/bake-action@v6\n      with:\n"
            "        files: docker-bake.hcl\n        set: |\n          api.load=true\n          api.args.TAG=9.0\n",
            9,
        ),
    ],
)
def test_a_command_of_bake_sets_arguments_of_its_targets(path: str, text: str, line: int) -> None:
    dockerfile = f"ARG TAG OS\nFROM {ASPNET}:${{TAG}}-${{OS}}\n"
    usage = only({path: text, "docker-bake.hcl": BAKE, "src/Dockerfile": dockerfile})
    assert str(usage.reference) == f"{ASPNET}:9.0-noble"
    assert (usage.path, usage.line, str(usage.named_at)) == (path, line, "src/Dockerfile:2")
    assert usage.span is not None
    assert usage.span.of(text) == "9.0"


@pytest.mark.parametrize("setting", ["web.args.TAG=9.0", "api.args.TAG", "api.tags=9.0", "api.args.TAG=$TAG"])
def test_what_sets_no_argument_of_the_target_changes_nothing(setting: str) -> None:
    files = {
        "build.sh": f"docker buildx bake --set {setting}\n",
        "docker-bake.hcl": BAKE,
        "src/Dockerfile": DEFAULT,
    }
    assert named(files) == [("src/Dockerfile", 1, f"{ASPNET}:8.0")]


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("build.sh", "docker buildx bake --set api.contexts.base=docker-image://{}\n"),
        ("build.sh", "docker build --build-context base=docker-image://{} .\n"),
        ("azure-pipelines.yml", "steps: [script: 'docker build --build-context base=docker-image://{} .']\n"),
        (
            "action.yml",
            "runs: {{steps: [{{uses: docker/bake-action@v6, with: {{set: 'a.contexts.b=docker-image://{}'}}}}]}}\n",
        ),
        (
            "action.yml",
            "runs: {{steps: [{{uses: docker/build-push-action@v6, with: {{build-contexts: b=docker-image://{}}}}}]}}\n",
        ),
    ],
)
def test_an_image_as_a_context_of_a_command_is_a_usage(path: str, text: str) -> None:
    usage = only({path: text.format(f"{ASPNET}:9.0")})
    assert (str(usage.reference), usage.role) == (f"{ASPNET}:9.0", Role.CONTEXT)


def test_all_builds_of_a_dockerfile_count_and_its_default_too() -> None:
    files = {
        "Dockerfile": DEFAULT,
        "compose.yaml": "services: {a: {build: {context: ., args: {TAG: '9.0'}}}}\n",
        "build.sh": "docker build --build-arg TAG=10.0 .\ndocker build .\n",
    }
    assert named(files) == [
        ("Dockerfile", 1, f"{ASPNET}:8.0"),
        ("build.sh", 1, f"{ASPNET}:10.0"),
        ("compose.yaml", 1, f"{ASPNET}:9.0"),
    ]


def test_a_value_for_several_stages_makes_a_usage_for_each() -> None:
    files = {
        "Dockerfile": "ARG TAG\nFROM sdk:${TAG} AS build\nFROM aspnet:${TAG}-alpine\n",
        "build.sh": "docker build --build-arg TAG=9.0 .\n",
    }
    assert named(files) == [("build.sh", 1, "sdk:9.0"), ("build.sh", 1, "aspnet:9.0-alpine")]


def test_a_whole_image_as_a_value_is_the_base_of_its_stage_and_counts_once() -> None:
    files = {
        "Dockerfile": "ARG BASE\nFROM $BASE\n",
        "compose.yaml": f"services: {{a: {{build: {{context: ., args: {{BASE: '{ASPNET}:9.0'}}}}}}}}\n",
    }
    usage = only(files)
    assert (usage.path, usage.role, usage.assembled) == ("compose.yaml", Role.FINAL_STAGE, False)


def test_a_value_for_a_dockerfile_that_is_not_there_changes_nothing() -> None:
    files = {"Dockerfile": DEFAULT, "build.sh": "docker build --build-arg TAG=9.0 elsewhere\n"}
    assert named(files) == [("Dockerfile", 1, f"{ASPNET}:8.0")]


def test_without_a_value_that_is_written_out_the_dockerfile_still_says_what_is_missing() -> None:
    found = read({"Dockerfile": DOCKERFILE, "build.sh": "docker build --build-arg TAG=$TAG .\n"})
    assert found.usages == ()
    assert "give its ARGs defaults" in found.problems[0].message


class TestEnvironment:
    COMPOSE = f"services: {{a: {{image: '{ASPNET}:${{TAG}}'}}}}\n"

    def test_a_variable_of_the_file_beside_it_is_put_in(self) -> None:
        usage = only({"deploy/compose.yaml": self.COMPOSE, "deploy/.env": "# tags\nexport TAG='9.0' # floating\n"})
        assert (usage.path, usage.line, str(usage.reference)) == ("deploy/.env", 2, f"{ASPNET}:9.0")
        assert str(usage.named_at) == "deploy/compose.yaml:1"

    def test_it_wins_over_a_default(self) -> None:
        compose = self.COMPOSE.replace("${TAG}", "${TAG:-8.0}")
        assert named({"compose.yaml": compose, ".env": "TAG=9.0\n"}) == [(".env", 1, f"{ASPNET}:9.0")]
        assert named({"compose.yaml": compose, ".env": "TAG=\n"}) == [("compose.yaml", 1, f"{ASPNET}:8.0")]

    def test_a_file_elsewhere_counts_only_where_an_include_names_it(self) -> None:
        files = {"a/compose.yaml": self.COMPOSE, "defaults.env": "TAG=9.0\n"}
        assert read(files).usages == ()
        include = "include: [{path: a/compose.yaml, env_file: defaults.env}]\n"
        assert named({**files, "compose.yaml": include}) == [("defaults.env", 1, f"{ASPNET}:9.0")]

    def test_it_reaches_dockerfiles_through_build_arguments(self) -> None:
        files = {
            "Dockerfile": DOCKERFILE,
            "compose.yaml": "services: {a: {build: {context: ., args: {TAG: '$T'}}}}\n",
            ".env": "T=9.0\n",
        }
        assert named(files) == [(".env", 1, f"{ASPNET}:9.0")]

    @pytest.mark.parametrize("line", ["TAG=$OTHER", "TAG", "#TAG=9.0", 'TAG="9.0'])
    def test_what_is_no_plain_value_is_not_known(self, line: str) -> None:
        found = read({"compose.yaml": self.COMPOSE, ".env": f"{line}\n"})
        assert found.usages == ()
        assert len(found.problems) == 1


def test_an_image_that_a_sibling_file_builds_is_no_usage() -> None:
    files = {
        "compose.yaml": "services: {web: {image: 'shop/web:${V:-latest}'}, db: {image: 'postgres:16'}}\n",
        "compose.override.yaml": "services: {web: {build: ., image: 'shop/web:${V:-latest}'}}\n",
    }
    assert named(files) == [("compose.yaml", 1, "postgres:16")]


def test_a_marker_stands_above_the_command_or_the_key_that_a_comment_does_not_break() -> None:
    files = {
        "Dockerfile": DOCKERFILE,
        ".github/workflows/a.yml": "jobs:\n  a:\n    steps:\n    - uses: docker/build-push-action@v6\n      with:\n"
        "        context: .\n        build-args: |\n          A=1\n          TAG=9.0\n",
    }
    assert only(files).statement == 7
    assert only({"Dockerfile": DOCKERFILE, "a.sh": "docker build \\\n --build-arg TAG=9.0 .\n"}).statement == 1


_PIECES = st.sampled_from(
    [
        *"\n :{}[],'\"$=-|",
        "services: {a: {build: {context: ., args: {TAG: ",
        "jobs: {a: {steps: [{run: ",
        "steps:\n- script: ",
        "docker build --build-arg TAG=",
        'target "a" { args = { TAG = "',
        "TAG=",
        "9.0",
        f"{ASPNET}:9.0",
        "${TAG}",
        "${TAG:-8.0}",
        " .",
    ]
)
_KINDS = [each.kind for each in FORMATS if is_linked(each.kind)]
_PATHS = st.sampled_from(
    ["compose.yaml", ".env", "docker-bake.hcl", "a.sh", ".github/workflows/a.yml", "azure-pipelines.yml"]
)


@given(st.dictionaries(_PATHS, st.lists(_PIECES, max_size=12).map("".join), max_size=4), st.booleans())
def test_any_texts_give_findings_that_hold(texts: dict[str, str], has_default: bool) -> None:
    read({"Dockerfile": DEFAULT if has_default else DOCKERFILE, **texts})


def test_every_kind_that_hands_values_on_is_read_with_the_others() -> None:
    kinds = {
        "dockerfile",
        "compose",
        "env",
        "bake",
        "devcontainer",
        "gha",
        "azure-pipelines",
        "gitlab-ci",
        "circleci",
    }
    assert {*kinds, "shell", "make"} == {*_KINDS}


def test_a_mark_of_utf8_before_the_first_variable_of_an_env_file_does_not_hide_it() -> None:
    text = "\ufeffTAG=8.0\r\n"
    [(name, value)] = variables(text).items()
    assert (name, value.text, value.place(0)) == ("TAG", "8.0", text.index("8.0"))


def test_a_tag_that_only_a_build_makes_whole_is_none_without_it() -> None:
    files = {
        "Dockerfile": "ARG VARIANT\nFROM a.example/x:1-${VARIANT}\n",
        ".devcontainer.json": '{"build": {"dockerfile": "Dockerfile", "args": {"VARIANT": "9.0"}}}',
    }
    assert named(files) == [("Dockerfile", 2, "a.example/x:1-9.0")]
    [problem] = read({"Dockerfile": files["Dockerfile"]}).problems
    assert "'a.example/x:1-' without build arguments" in problem.message
