"""Rewrites where one file holds the value and another the image that it belongs to."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.reference import Reference
from bot.domain.repositories.usage import Replacement, Rewritten
from bot.files.formats.memory import File, Memory
from bot.files.formats.repository import read_files
from bot.files.formats.rewrite.rewrite import rewrite_files

ASPNET = "mcr.microsoft.com/dotnet/aspnet"
DIGEST = "sha256:" + "b" * 64
ONE = f"ARG TAG\nFROM {ASPNET}:${{TAG}}\n"
TWO = f"ARG TAG\nFROM mcr.microsoft.com/dotnet/sdk:${{TAG}} AS build\nFROM {ASPNET}:${{TAG}}-alpine\n"
HANDING = {
    "compose.yaml": "services: {a: {build: {context: ., args: {TAG: '9.0'}}}}\n",
    "docker-bake.hcl": 'target "a" {\n  args = { TAG = "9.0" }\n}\n',
    ".devcontainer/devcontainer.json": '{"build": {"dockerfile": "../Dockerfile", "args": {"TAG": "9.0"}}}\n',
    ".github/workflows/a.yml": "jobs: {a: {steps: [{run: docker build --build-arg TAG=9.0 .}]}}\n",
    "azure-pipelines.yml": "steps:\n- script: docker build --build-arg TAG=9.0 .\n",
    "build.sh": "docker build \\\n  --build-arg TAG=9.0 .\n",
}


def rewritten(files: dict[str, str], *changes: tuple[str, str]) -> dict[str, Rewritten]:
    asked = [Replacement(Reference.parse(old), Reference.parse(new)) for old, new in changes]
    data = {path: text.encode() for path, text in files.items()}
    return dict(rewrite_files(data, dict.fromkeys(files, asked)))


def texts(done: dict[str, Rewritten]) -> dict[str, str]:
    assert [problem for each in done.values() for problem in each.refused] == []
    return {path: each.data.decode() for path, each in done.items()}


@pytest.mark.parametrize("path", HANDING)
def test_the_edit_goes_where_the_value_stands(path: str) -> None:
    files = {"Dockerfile": ONE, path: HANDING[path]}
    assert texts(rewritten(files, (f"{ASPNET}:9.0", f"{ASPNET}:10.0"))) == {
        "Dockerfile": ONE,
        path: HANDING[path].replace("9.0", "10.0"),
    }


@pytest.mark.parametrize("path", HANDING)
def test_a_digest_is_added_to_a_value_that_serves_nothing_else(path: str) -> None:
    files = {"Dockerfile": ONE, path: HANDING[path]}
    done = texts(rewritten(files, (f"{ASPNET}:9.0", f"{ASPNET}:9.0@{DIGEST}")))
    assert done == {"Dockerfile": ONE, path: HANDING[path].replace("9.0", f"9.0@{DIGEST}")}


def test_a_value_that_serves_two_images_is_refused_unless_both_move() -> None:
    files = {"Dockerfile": TWO, "build.sh": HANDING["build.sh"]}
    done = rewritten(files, (f"{ASPNET}:9.0-alpine", f"{ASPNET}:10.0-alpine"))
    assert done["build.sh"].data == files["build.sh"].encode()
    [problem] = done["build.sh"].refused
    assert "this would change mcr.microsoft.com/dotnet/sdk:9.0" in problem.message
    sdk = "mcr.microsoft.com/dotnet/sdk"
    both = rewritten(files, (f"{ASPNET}:9.0-alpine", f"{ASPNET}:10.0-alpine"), (f"{sdk}:9.0", f"{sdk}:10.0"))
    assert texts(both)["build.sh"] == HANDING["build.sh"].replace("9.0", "10.0")


def test_a_name_changes_in_the_dockerfile_and_the_tag_in_the_other_file() -> None:
    files = {"Dockerfile": ONE, "build.sh": HANDING["build.sh"]}
    done = texts(rewritten(files, (f"{ASPNET}:9.0", "mcr.microsoft.com/dotnet/runtime:10.0")))
    assert done["Dockerfile"] == ONE.replace("aspnet", "runtime")
    assert done["build.sh"] == HANDING["build.sh"].replace("9.0", "10.0")


def test_a_variable_of_compose_changes_in_its_own_file() -> None:
    files = {"compose.yaml": f"services: {{a: {{image: '{ASPNET}:${{TAG}}'}}}}\n", ".env": "TAG=9.0\n"}
    assert texts(rewritten(files, (f"{ASPNET}:9.0", f"{ASPNET}:10.0"))) == {**files, ".env": "TAG=10.0\n"}
    pinned = texts(rewritten(files, (f"{ASPNET}:9.0", f"{ASPNET}:9.0@{DIGEST}")))
    assert pinned == {**files, "compose.yaml": files["compose.yaml"].replace("}'", f"}}@{DIGEST}'")}


@pytest.mark.parametrize(
    ("path", "before", "command"),
    [
        ("a.sh", "set -e\n", f"dotnet publish \\\n  -p:ContainerBaseImage={ASPNET}:9.0\n"),
        (
            ".github/workflows/a.yml",
            "jobs:\n  a:\n    steps:\n    - run: |\n",
            f"        dotnet publish \\\n          -p:ContainerBaseImage={ASPNET}:9.0\n",
        ),
    ],
)
def test_a_marker_stands_above_a_command_of_several_lines(path: str, before: str, command: str) -> None:
    change = Replacement(Reference(ASPNET, "9.0"), Reference(ASPNET, "9.0", DIGEST), marker=True)
    result = rewrite_files({path: (before + command).encode()}, {path: [change]})[path]
    assert result.refused == ()
    indent = " " * (len(command) - len(command.lstrip()))
    assert result.data.decode() == f"{before}{indent}# base-digest: {DIGEST}\n{command}"


def test_a_usage_of_several_files_is_refused_where_one_of_them_is_to_stay() -> None:
    files = {"Dockerfile": ONE.encode(), "build.sh": HANDING["build.sh"].encode()}
    change = Replacement(Reference(ASPNET, "9.0"), Reference(ASPNET, "10.0"))
    done = rewrite_files(files, {"build.sh": [change]})
    assert {path: each.data for path, each in done.items()} == files
    assert "it stands in Dockerfile too" in done["build.sh"].refused[0].message


@given(
    st.sampled_from(sorted(HANDING)),
    st.sampled_from([ONE, TWO, ONE.replace("ARG TAG", "ARG TAG=8.0"), ONE.replace("}", "}-noble")]),
    st.sampled_from(["10.0", "9.0.4", "11.0"]),
)
def test_there_and_back_gives_the_same_bytes(path: str, dockerfile: str, tag: str) -> None:
    files = {"Dockerfile": dockerfile, path: HANDING[path]}
    found, _ = read_files([File(name, name, text.encode()) for name, text in files.items()], Memory())
    there = [
        (str(usage.reference), str(usage.reference).replace(":9.0", f":{tag}"))
        for usage in found.usages
        if ":9.0" in str(usage.reference)
    ]
    assert there
    moved = texts(rewritten(files, *there))
    assert moved != files
    assert texts(rewritten(moved, *((new, old) for old, new in there))) == files
