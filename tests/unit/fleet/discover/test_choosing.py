"""Which files of a tree are fetched, and what is said of the others."""

import pytest

from bot.domain.repositories.repository import TreeEntry
from bot.files.formats.finding import LARGEST_FILE
from bot.fleet.discover.choosing import MOST_BYTES, MOST_FILES, Choice, chosen


def paths(*entries: TreeEntry) -> list[str]:
    return [entry.path for entry in chosen(entries).entries]


def problem(*entries: TreeEntry) -> tuple[str, str]:
    [only] = chosen(entries).problems
    return only.path, only.message


@pytest.mark.parametrize(
    "path",
    [
        "Dockerfile",
        "src/api/Dockerfile",
        "compose.yaml",
        ".github/freshness.yaml",
        ".github/workflows/build.yml",
        ".github/actions/image/action.yml",
        "deploy/api.yaml",
        "charts/api/values.yaml",
        "charts/api/templates/deployment.yaml",
        "src/Api.csproj",
        "Directory.Build.props",
        "global.json",
        "docs/examples/job.yml",
    ],
)
def test_files_that_may_name_a_reference_are_fetched(path: str) -> None:
    assert paths(TreeEntry(path, "1")) == [path]


@pytest.mark.parametrize(
    "path",
    [
        "README.md",
        "src/Program.cs",
        ".github/dependabot.yml",
        ".github/ISSUE_TEMPLATE/bug.yaml",
        ".pre-commit-config.yaml",
        "docs/mkdocs.yml",
        "pnpm-lock.yaml",
        "codecov.yml",
        ".codecov.yml",
    ],
)
def test_files_whose_format_names_no_image_are_left(path: str) -> None:
    assert paths(TreeEntry(path, "1")) == []


def test_a_path_with_a_line_break_is_told_and_not_read() -> None:
    choice = chosen(
        [TreeEntry("a\nb/Dockerfile", "1"), TreeEntry("c\nd/notes.txt", "2"), TreeEntry("Dockerfile", "3")]
    )
    assert [entry.path for entry in choice.entries] == ["Dockerfile"]
    (problem,) = choice.problems
    assert problem.path == "a\\nb/Dockerfile"
    assert problem.message.startswith("this one was not read: its path holds a line break")


def test_what_a_build_wrote_for_other_builds_is_not_told() -> None:
    assert chosen([TreeEntry("bin/server.bat", "1")]) == Choice((), ())


def test_what_the_audit_alone_reads_comes_last() -> None:
    alone = ["charts/api/Chart.yaml", "infra/main.bicep", "nuget.config"]
    entries = [TreeEntry(path, str(number)) for number, path in enumerate([*alone, "samples/Dockerfile"])]
    assert paths(*entries) == [
        "samples/Dockerfile",
        "nuget.config",
        "infra/main.bicep",
        "charts/api/Chart.yaml",
    ]


def test_a_file_too_large_is_reported() -> None:
    path, message = problem(TreeEntry("deploy/all.yaml", "1", size=LARGEST_FILE + 1))
    assert path == "deploy/all.yaml"
    assert message == (
        "larger than 1024 KiB (1,048,577 bytes), so it is not read and nothing in it is watched; "
        "split it, or name its images in a smaller file"
    )


def test_a_symbolic_link_in_the_place_of_a_dockerfile_is_reported() -> None:
    path, message = problem(TreeEntry("Dockerfile", "1", mode="120000"), TreeEntry("logo", "2", mode="120000"))
    assert path == "Dockerfile"
    assert "symbolic link" in message


def test_submodules_are_reported_once() -> None:
    path, message = problem(
        *(TreeEntry(f"modules/{name}", "1", mode="160000", kind="commit") for name in ("a", "b", "c"))
    )
    assert path == "modules/a"
    assert "one of 3 submodules" in message


def test_folders_are_no_files() -> None:
    assert chosen([TreeEntry("Dockerfile", "1", mode="040000", kind="tree")]).entries == ()


def test_a_configuration_under_another_name_is_pointed_out() -> None:
    assert "name it .github/freshness.yaml" in problem(TreeEntry(".github/freshness.yml", "1"))[1]


def test_of_too_many_files_those_that_build_images_come_first() -> None:
    manifests = [TreeEntry(f"deploy/{number}.yaml", str(number)) for number in range(MOST_FILES)]
    choice = chosen([*manifests, TreeEntry("z/Dockerfile", "d"), TreeEntry(".github/freshness.yaml", "f")])
    assert [entry.path for entry in choice.entries[:2]] == [".github/freshness.yaml", "z/Dockerfile"]
    assert len(choice.entries) == MOST_FILES
    assert choice.problems[0].message == (
        "the repository has too many files; this and 1 more were not read (2 kubernetes), the least likely ones"
    )


def test_one_file_too_many_is_counted_as_one() -> None:
    choice = chosen(TreeEntry(f"deploy/{number:04}.yaml", str(number)) for number in range(MOST_FILES + 1))
    (left,) = choice.problems
    assert left.path == f"deploy/{MOST_FILES:04}.yaml"
    assert left.message == (
        "the repository has too many files; this one was not read (1 kubernetes), the least likely ones"
    )


def test_all_files_together_are_bounded() -> None:
    count = MOST_BYTES // LARGEST_FILE
    entries = [TreeEntry(f"{number:03}.yaml", str(number), size=LARGEST_FILE) for number in range(count + 5)]
    assert len(chosen(entries).entries) == count


def test_of_too_many_files_those_of_tests_and_samples_come_last() -> None:
    snapshots = [TreeEntry(f"tests/{number}/Dockerfile", str(number)) for number in range(MOST_FILES)]
    choice = chosen([*snapshots, TreeEntry("deploy/api.yaml", "a"), TreeEntry("src/Api.csproj", "b")])
    assert [entry.path for entry in choice.entries[:2]] == ["src/Api.csproj", "deploy/api.yaml"]
    assert "this and 1 more were not read (2 dockerfile)" in choice.problems[0].message


def test_a_checkout_on_this_machine_has_no_limit() -> None:
    entries = [TreeEntry(f"deploy/{number}.yaml", str(number)) for number in range(MOST_FILES + 1)]
    choice = chosen(entries, is_bounded=False)
    assert (len(choice.entries), choice.problems) == (MOST_FILES + 1, ())


@pytest.mark.parametrize(
    "name",
    [
        "Dockerfile.approved.txt",
        "Sample.verified.Dockerfile",
        "Sample.received.yaml",
        "Dockerfile.approved",
        "Dockerfile.txt",
        "Dockerfile.bak",
        "compose.yaml.orig",
        "Dockerfile~",
        ".Dockerfile.swp",
        "#Dockerfile#",
        ".#Dockerfile",
        "obj/App.csproj.nuget.g.props",
    ],
)
def test_snapshots_backups_and_what_editors_leave_are_no_sources(name: str) -> None:
    assert chosen([TreeEntry(name, "1")]) == Choice((), ())


def test_what_a_build_wrote_is_told_of_once_and_not_read() -> None:
    output = [TreeEntry(f"src/{folder}/Debug/Dockerfile", folder) for folder in ("bin", "obj")]
    choice = chosen([*output, TreeEntry("src/Dockerfile", "1"), TreeEntry("cabin/Dockerfile", "2")])
    assert [entry.path for entry in choice.entries] == ["cabin/Dockerfile", "src/Dockerfile"]
    [told] = choice.problems
    assert (told.path, told.message) == (
        "src/bin/Debug/Dockerfile",
        "this and 1 more were not read: files under bin/ and obj/ are taken for what a build wrote; "
        "move sources elsewhere",
    )


def test_what_others_wrote_is_not_read() -> None:
    assert chosen([TreeEntry("web/node_modules/x/Dockerfile", "1")]) == Choice((), ())
