"""Who else would write the lines of base images, by the settings that they have in a repository."""

import json

import pytest

from bot.files.formats.update_bots import PATHS, UpdateBot, update_bots

DEPENDABOT = """\
version: 2
updates:
  - package-ecosystem: nuget
    directory: /
  - package-ecosystem: docker
    directory: /src
"""
STOP = 'ignore: [{dependency-name: "dotnet/*"}] below that line'


def found(path: str, text: str) -> list[tuple[str, int]]:
    return [(bot.name, bot.line) for bot in update_bots({path: text.encode()})]


def test_dependabot_on_dockerfiles_is_named_with_its_line_and_the_one_that_stops_it() -> None:
    path = ".github/dependabot.yml"
    assert update_bots({path: DEPENDABOT.encode()}) == [UpdateBot("Dependabot", path, 5, STOP)]


@pytest.mark.parametrize("name", ["dotnet/*", "mcr.microsoft.com/dotnet/*", '"*"'])
def test_dependabot_that_ignores_the_bases_is_not(name: str) -> None:
    text = f"{DEPENDABOT}    ignore:\n      - dependency-name: {name}\n"
    assert found(".github/dependabot.yml", text) == []


def test_ignoring_only_some_versions_stops_nothing() -> None:
    text = f"{DEPENDABOT}    ignore:\n      - dependency-name: dotnet/*\n        update-types: [major]\n"
    assert found(".github/dependabot.yml", text) == [("Dependabot", 5)]


def test_dependabot_for_packages_alone_writes_other_lines() -> None:
    assert found(".github/dependabot.yaml", DEPENDABOT.replace("docker", "npm")) == []


@pytest.mark.parametrize(
    "text",
    [
        '{"enabled": false}',
        '{"enabledManagers": ["nuget"]}',
        '{"packageRules": [{"matchPackageNames": ["mcr.microsoft.com/dotnet/**"], "enabled": false}]}',
        '{"packageRules": [{"matchDatasources": ["docker"], "enabled": false}]}',
        '{"packageRules": [{"matchManagers": ["dockerfile"], "enabled": false}]}',
        '{"packageRules": [{"matchDatasources": ["docker"], "matchUpdateTypes": ["digest"], "enabled": false}]}',
        '{"packageRules": [{"matchPackageNames": ["redis"], "enabled": true}, '
        '{"matchDatasources": ["docker"], "enabled": false}]}',
    ],
)
def test_renovate_that_was_told_to_leave_the_bases_is_not_named(text: str) -> None:
    assert found("renovate.json", text) == []


@pytest.mark.parametrize(
    "text",
    [
        '{"extends": ["config:recommended"]}',
        "{extends: ['config:recommended'], }",
        '// ours\n{"packageRules": [{"matchPackageNames": ["redis"], "enabled": false}]}',
        '{"enabledManagers": ["dockerfile"]}',
        '{"packageRules": [{"matchDatasources": ["docker"], "matchUpdateTypes": ["major"], "enabled": false}]}',
        '{"packageRules": [{"matchDatasources": ["docker"], "matchFileNames": ["old/**"], "enabled": false}]}',
        '{"packageRules": [{"matchDatasources": ["npm"], "enabled": false}]}',
        '{"packageRules": [{"matchDatasources": ["docker"], "enabled": false}, '
        '{"matchPackageNames": ["mcr.microsoft.com/dotnet/**"], "enabled": true}]}',
        "no JSON at all {",
    ],
)
def test_renovate_is_named_otherwise(text: str) -> None:
    assert [name for name, _ in found(".github/renovate.json5", text)] == ["Renovate"]


@pytest.mark.parametrize(
    "path",
    [
        *("renovate.jsonc", ".github/renovate.jsonc", ".renovaterc", ".renovaterc.json"),
        *(".renovaterc.json5", ".renovaterc.jsonc"),
    ],
)
def test_each_file_that_renovate_reads_is_read(path: str) -> None:
    assert path in PATHS
    assert found(path, "{}") == [("Renovate", 1)]


def test_in_a_package_json_renovates_settings_stand_under_its_name() -> None:
    assert found("package.json", '{"name": "web",\n "renovate": {"extends": ["config:recommended"]}}') == [
        ("Renovate", 2)
    ]
    assert found("package.json", '{"name": "web"}') == []


def test_the_line_that_stops_renovate_leaves_it_other_versions() -> None:
    [bot] = update_bots({"renovate.json": b"{}"})
    rule = bot.stopped_by.removesuffix(" as the last of packageRules")
    assert json.loads(rule)["matchUpdateTypes"] == ["digest", "pinDigest"]
    assert found("renovate.json", f'{{"packageRules": [{rule}]}}') == []


def test_other_files_say_nothing() -> None:
    assert update_bots({"Dockerfile": b"FROM a\n", ".github/dependabot.yml": b"\xff{"}) == []
