"""Where people look at repositories and files, by the forge that their names tell."""

import pytest

from bot.domain.repositories.addresses import file_url, repository_url

GITHUB = "https://github.com"
SHOP, DESK = "contoso/shop", "contoso/Web Shop/desk"
AT_AZURE = "https://dev.azure.com/contoso/Web%20Shop/_git/desk"


def test_a_repository_is_shown_at_its_own_forge() -> None:
    assert repository_url(GITHUB, SHOP) == "https://github.com/contoso/shop"
    assert repository_url(GITHUB, DESK) == AT_AZURE


@pytest.mark.parametrize(
    ("repository", "ref", "line", "url"),
    [
        (SHOP, "main", 3, "https://github.com/contoso/shop/blob/main/src/a%20b#L3"),
        (SHOP, "main", None, "https://github.com/contoso/shop/blob/main/src/a%20b"),
        (DESK, "release/1", None, f"{AT_AZURE}?path=/src/a%20b&version=GBrelease%2F1"),
        (DESK, "c" * 40, None, f"{AT_AZURE}?path=/src/a%20b&version=GC{'c' * 40}"),
    ],
)
def test_a_file_is_shown_as_its_forge_does(repository: str, ref: str, line: int | None, url: str) -> None:
    assert file_url(GITHUB, repository, ref, "src/a b", line) == url


def test_a_line_is_marked_there() -> None:
    assert file_url(GITHUB, DESK, "main", "Dockerfile", 3).endswith(
        "?path=/Dockerfile&version=GBmain&line=3&lineEnd=4&lineStartColumn=1&lineEndColumn=1"
    )
