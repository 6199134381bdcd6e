"""Rewrites of what commands run, wherever these stand: there and back gives the same bytes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.reference import Reference
from bot.domain.repositories.usage import Replacement
from bot.files.formats.finding import find_usages
from bot.files.formats.rewrite.rewrite import rewrite

OLD, NEW = "r.io/dotnet/sdk:8.0", "r.io/dotnet/sdk:9.0"
DIGEST = f"@sha256:{'b' * 64}"
COMMANDS = st.lists(
    st.sampled_from(
        [
            "docker run --rm IMAGE dotnet test",
            "docker pull -q IMAGE",
            "podman create --name x IMAGE",
            "docker run -v a:b other:1 x",
            "echo IMAGE",
            "docker build -t local:1 .",
            "docker run local:1",
        ]
    ),
    min_size=1,
    max_size=5,
)
FILES = {
    "build.sh": ("set -e\n", "", "\n"),
    "build.ps1": ("", "", "\r\n"),
    "Makefile": ("V := 1\nt: u\n", "\t@", "\n"),
    "justfile": ("t:\n", "    @", "\n"),
    ".github/workflows/a.yml": ("on: push\njobs:\n  a:\n    steps:\n", "      - run: ", "\n"),
    "azure-pipelines.yml": ("steps:\n", "  - script: ", "\n"),
    ".gitlab-ci.yml": (f"a:\n  image: {OLD}\n  script:\n", "    - ", "\n"),
    ".circleci/config.yml": (f"jobs:\n  a:\n    docker: [{{image: '{OLD}'}}]\n    steps:\n", "      - run: ", "\n"),
}


@given(st.sampled_from(sorted(FILES)), COMMANDS, st.sampled_from(["", DIGEST]))
def test_there_and_back_gives_the_same_bytes(path: str, commands: list[str], digest: str) -> None:
    head, before, after = FILES[path]
    text = (head + "".join(f"{before}{each}{after}" for each in commands).replace("IMAGE", OLD)).encode()
    old, new = Reference.parse(OLD), Reference.parse(NEW + digest)
    places = [usage.line for usage in find_usages(path, text).usages if usage.reference == old]

    there = rewrite(path, text, [Replacement(old, new)])

    assert there.refused == ()
    assert [usage.line for usage in find_usages(path, there.data).usages if usage.reference == new] == places
    assert len(places) == text.count(OLD.encode()) - commands.count("echo IMAGE")
    assert there.data.count(NEW.encode()) == len(places)
    assert rewrite(path, there.data, [Replacement(new, old)]).data == text


@pytest.mark.parametrize(
    ("path", "text", "line"),
    [
        ("Makefile", f"t:\n\tcd a && \\\n\t  docker run --rm \\\n\t  {OLD}\n", "\t# base-digest"),
        ("build.sh", f"if x; then\n  docker run \\\n    {OLD}\nfi\n", "  # base-digest"),
        (".gitlab-ci.yml", f"a:\n  script:\n    - docker run {OLD}\n", "    # base-digest"),
    ],
)
def test_a_marker_breaks_no_command(path: str, text: str, line: str) -> None:
    digest = DIGEST.removeprefix("@")
    reference = Reference.parse(OLD)
    marked = rewrite(path, text.encode(), [Replacement(reference, reference.with_tag("8.0", digest), marker=True)])
    assert marked.refused == ()
    above, _, _ = marked.data.decode().partition(f"{line}: {digest}\n")
    assert above in text
    assert not above.rstrip("\n").endswith("\\")
    (usage,) = find_usages(path, marked.data).usages
    assert (usage.reference, usage.marker) == (reference, digest)
