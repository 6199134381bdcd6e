"""What stands on the package's page, and in the notes of a release, leads somewhere from there."""

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from markdown_it.token import Token

from hatch_build import Links

ROOT = Path(__file__).parents[3]
SOURCE = "https://github.com/contoso/bot"
PAGES = f"{SOURCE}/blob/v1.2.3"
FILES = "https://raw.githubusercontent.com/contoso/bot/v1.2.3"
IN_DOCS = Links(SOURCE, "v1.2.3", "docs/page.md")
AT_ROOT = Links(SOURCE, "v1.2.3", "README.md")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("[a](docs/a.md)", f"[a]({PAGES}/docs/a.md)"),
        ("[a](./docs/../a.md)", f"[a]({PAGES}/a.md)"),
        ("[a](docs/a.md#there)", f"[a]({PAGES}/docs/a.md#there)"),
        ("[a](#there)", f"[a]({PAGES}/README.md#there)"),
        ('[a](docs/a.md "A title")', f'[a]({PAGES}/docs/a.md "A title")'),
        ("[a](<docs/a.md>)", f"[a](<{PAGES}/docs/a.md>)"),
        ("![a](docs/a.png)", f"![a]({FILES}/docs/a.png)"),
        ("[![a](a.svg)](docs/a.md)", f"[![a]({FILES}/a.svg)]({PAGES}/docs/a.md)"),
        ("[a][b]\n\n[b]: docs/a.md\n", f"[a][b]\n\n[b]: {PAGES}/docs/a.md\n"),
        ('<img src="docs/a.png">', f'<img src="{FILES}/docs/a.png">'),
        ("<a href='LICENSE'>", f"<a href='{PAGES}/LICENSE'>"),
        ("[`a`](a.md) and [b](b.md)", f"[`a`]({PAGES}/a.md) and [b]({PAGES}/b.md)"),
    ],
)
def test_a_relative_target_becomes_that_of_the_tag(text: str, expected: str) -> None:
    assert AT_ROOT.absolute(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "[a](https://example.com/a.md)",
        "[a](mailto:a@example.com)",
        "<img src='//example.com/a.png'>",
        "`[a](docs/a.md)`",
        "``a ` [a](docs/a.md)``",
        "```\n[a](docs/a.md)\n```\n",
        "~~~ text\n[a](docs/a.md)\n~~~\n",
        "- [ ] done (see a.md)",
    ],
)
def test_what_is_absolute_or_no_link_stays(text: str) -> None:
    assert AT_ROOT.absolute(text) == text


def test_a_target_counts_from_the_folder_of_its_page() -> None:
    assert IN_DOCS.absolute("[a](../README.md), [b](b.md)") == f"[a]({PAGES}/README.md), [b]({PAGES}/docs/b.md)"


def test_a_tick_that_is_never_closed_hides_no_link() -> None:
    assert AT_ROOT.absolute("one ` tick\n\n[a](a.md) `b`") == f"one ` tick\n\n[a]({PAGES}/a.md) `b`"


PARTS = st.sampled_from(["[a](a.md)", "![b](b.png)", "`c`", "```\nd\n```\n", "\n\n", "e ", "`"])


@given(st.lists(PARTS).map("".join))
def test_what_is_absolute_is_not_changed_again(text: str) -> None:
    once = AT_ROOT.absolute(text)
    assert AT_ROOT.absolute(once) == once


@pytest.mark.parametrize("page", ["README.md", "CHANGELOG.md"])
def test_each_link_of_our_pages_leads_to_a_file_that_is_there(page: str) -> None:
    source = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["urls"]["Source"]
    text = (ROOT / page).read_text(encoding="utf-8")
    targets = list(_targets(Links(source, "v1.2.3", page).absolute(text)))
    assert all(target.startswith("https://") for target in targets)
    ours = [re.sub(r"#.*", "", target).split("/v1.2.3/")[1] for target in targets if "/v1.2.3/" in target]
    assert ours
    assert [path for path in ours if not (ROOT / path).exists()] == []


def test_all_that_names_the_repository_names_the_same() -> None:
    from bot.settings.action_workflow import ACTION

    urls = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["urls"]
    assert urls["Source"] == f"https://github.com/{ACTION}"
    assert all(url.startswith(urls["Source"]) for url in urls.values())


def _targets(text: str) -> Iterator[str]:
    def walk(tokens: list[Token]) -> Iterator[str]:
        for token in tokens:
            for name in ("href", "src"):
                target = token.attrGet(name)
                if target is not None:
                    yield str(target)
            yield from walk(token.children or [])

    return walk(MarkdownIt("commonmark").enable("table").parse(text))
