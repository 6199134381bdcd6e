"""Who owns a file, by GitHub's own examples of patterns."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.files.formats.code_owners import owned_in


def owners(text: str, path: str) -> list[str]:
    return [owner for part in owned_in({"CODEOWNERS": text}, [path]) for owner in part.owners]


@pytest.mark.parametrize(
    ("pattern", "taken", "left"),
    [
        ("*", ["Dockerfile", "src/api/Dockerfile"], []),
        ("*.yml", ["compose.yml", "deploy/compose.yml"], ["compose.yaml"]),
        ("/build/logs/", ["build/logs/a", "build/logs/b/c"], ["src/build/logs/a", "build/logs"]),
        ("docs/*", ["docs/a"], ["docs/build/a", "src/docs/a"]),
        ("apps/", ["apps/a", "src/apps/b/c"], ["apps", "application/a"]),
        ("/docs/", ["docs/a", "docs/b/c"], ["src/docs/a"]),
        ("**/logs", ["logs/a", "build/logs/a", "deeply/nested/logs/a"], ["log/a"]),
        ("/src/**/Dockerfile", ["src/Dockerfile", "src/a/b/Dockerfile"], ["Dockerfile", "other/Dockerfile"]),
        ("src/api", ["src/api/Dockerfile", "src/api"], ["src/apis/Dockerfile"]),
        (r"with\ space/", ["with space/a"], ["with/a"]),
        ("[ab]", ["[ab]"], ["a"]),
    ],
)
def test_a_pattern_takes_what_github_says(pattern: str, taken: list[str], left: list[str]) -> None:
    text = f"{pattern} @octocat\n"
    assert [path for path in taken if owners(text, path) != ["octocat"]] == []
    assert [path for path in left if owners(text, path)] == []


def test_the_last_line_that_takes_a_path_counts() -> None:
    text = "# ours\n* @all\n/src/ @contoso/api @octocat  # both\n/src/legacy/\n"
    assert owners(text, "Dockerfile") == ["all"]
    assert owners(text, "src/Dockerfile") == ["contoso/api", "octocat"]
    assert owners(text, "src/legacy/Dockerfile") == []


def test_who_is_named_by_an_address_cannot_be_asked() -> None:
    assert owners("* ann@example.com @octocat\n", "Dockerfile") == ["octocat"]


def test_only_the_first_of_the_three_places_counts() -> None:
    files = {"docs/CODEOWNERS": "* @docs", ".github/CODEOWNERS": "* @hub", "CODEOWNERS": "* @root"}
    (part,) = owned_in(files, ["Dockerfile"])
    assert (part.owners, part.paths) == (("hub",), ("Dockerfile",))


@given(st.text(max_size=200), st.lists(st.text(max_size=30), max_size=5))
def test_no_text_breaks_it(text: str, paths: list[str]) -> None:
    owned_in({"CODEOWNERS": text}, paths)
