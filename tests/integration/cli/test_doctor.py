"""`doctor` in a world in which much is wrong: each thing is named with its way out, and the exit code tells."""

import json
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
import yaml

from bot.domain.clock import SystemClock
from bot.service.one_off import pass_once
from bot.settings import load
from sandbox.fleets.fleet import SampleFleet
from sandbox.images import dotnet_image
from sandbox.programs.parts import MissingPart
from sandbox.world import World
from tests.integration.cli.conftest import Command, Ran
from tests.migrated import new_sqlite

DEPENDABOT = "version: 2\nupdates:\n  - package-ecosystem: docker\n    directory: /\n"

THEIRS = "dependabot/docker/dotnet/aspnet-10.0.1-noble-chiseled"


@dataclass(frozen=True, slots=True)
class Clinic:
    world: World
    config: Path

    def with_settings(self, folder: Path, **changed: Any) -> Path:
        settings = {**yaml.safe_load(self.config.read_text()), **changed}
        path = folder / "changed.yaml"
        path.write_text(yaml.safe_dump(settings))
        return path


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def clinic(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Clinic]:
    """An App in two organisations, one of which has suspended it; two repositories in the other."""
    folder = tmp_path_factory.mktemp("clinic")
    world = World(organisations=("contoso", "fabrikam"), validate=True)
    try:
        await world.__aenter__()
    except MissingPart as missing:
        pytest.skip(str(missing))
    aspnet = f"{world.registry.host}/dotnet/aspnet"
    await SampleFleet(world).build("10.0.0")
    await world.registry.push("dotnet/aspnet", "10.0", dotnet_image("aspnet", "10.0.0"))
    nightly = "mcr.microsoft.com/dotnet/nightly/sdk:10.0"
    await world.github.create_repository("store-front", {"Dockerfile": f"FROM {nightly}\nFROM {aspnet}:10.0\n"})
    await world.github.create_repository("pinned-api", {"Dockerfile": f"FROM {aspnet}:10.0.0-noble-chiseled\n"})
    await world.github.create_repository(
        "help-desk", {"Dockerfile": f"FROM {aspnet}:10.0\n", ".github/dependabot.yml": DEPENDABOT}
    )
    await world.github.branch("pinned-api", THEIRS)
    await world.github.push("pinned-api", {"Dockerfile": f"FROM {aspnet}:10.0.1-noble-chiseled\n"}, branch=THEIRS)
    theirs = {"title": "Bump dotnet/aspnet from 10.0.0 to 10.0.1", "head": THEIRS, "base": "main"}
    await world.github.ask("POST", "/repos/contoso/pinned-api/pulls", theirs)
    config = world.config(folder, new_sqlite(folder / "freshness.db"))
    settings = yaml.safe_load(config.read_text())
    key = folder / "app.pem"
    key.write_text(world.github.private_key)
    del settings["github"]["token_file"]
    settings["github"]["app"] = {"id": world.github.app_id, "private_key_file": str(key)}
    config.write_text(yaml.safe_dump(settings))
    await pass_once(load(config), SystemClock())
    yield Clinic(world, config)
    await world.__aexit__()


def told(ran: Ran) -> Mapping[tuple[str, str], tuple[str, str, str | None]]:
    return {
        (check["area"], check["subject"]): (check["verdict"], check["found"], check["way_out"])
        for check in json.loads(ran.out)["checks"]
    }


def examined(bot: Command, config: Path) -> tuple[int, Mapping[tuple[str, str], tuple[str, str, str | None]]]:
    ran = bot("doctor", "-c", config, "-f", "json")
    return ran.code, told(ran)


def test_all_that_is_asked_is_fine(bot: Command, clinic: Clinic) -> None:
    code, found = examined(bot, clinic.config)
    assert code == 0, {name: each for name, each in found.items() if each[0] not in ("fine", "note")}
    fine = {name for name, (verdict, _, _) in found.items() if verdict == "fine"}
    assert {("GitHub", "contoso"), ("GitHub", "fabrikam"), ("clock", "this machine"), ("store", "sqlite")} <= fine
    assert ("permissions", "contoso: contents: write") in fine
    assert ("registries", clinic.world.registry.host) in fine
    assert {("messages", "Slack"), ("messages", "Slack: chat:write")} <= fine
    assert {area for area, _ in fine} >= {"feeds"}


def test_what_the_fleet_lacks_is_named_with_the_line_that_helps(bot: Command, clinic: Clinic) -> None:
    _, found = examined(bot, clinic.config)
    verdict, told, way_out = found["other bots", "contoso/help-desk"]
    assert (verdict, told) == ("note", "Dependabot writes the same lines: .github/dependabot.yml:3")
    assert way_out == 'write ignore: [{dependency-name: "dotnet/*"}] below that line'
    verdict, told, way_out = found["other bots", "contoso/pinned-api#1"]
    address = f"{clinic.world.github.url}/contoso/pinned-api/pull/1"
    assert (verdict, told) == (
        "note",
        f"Dependabot has it open for dotnet/aspnet, which this bot brings too: {address}",
    )
    assert "docs/beside-update-bots.md" in str(way_out)
    verdict, told, way_out = found["workflows", "contoso/store-front"]
    assert (verdict, way_out) == ("note", "write `on: {workflow_dispatch: }` into weekly-rebuild.yml")
    assert "aspnet:10.0 floats" in told
    assert ("workflows", "contoso/pinned-api") not in found, "a patch version is pinned, it does not float"
    verdict, told, way_out = found["bases", "mcr.microsoft.com/dotnet/nightly/sdk"]
    assert (verdict, told) == ("note", ".NET, 1 reference, not watched")
    assert way_out is not None
    assert "bases" in way_out


def test_data_of_cves_that_nobody_reads_is_named_with_the_setting_that_turns_it_on(
    bot: Command, clinic: Clinic
) -> None:
    bot("once", "-c", clinic.config)  # reads the images that the pass before has found
    checks = json.loads(bot("doctor", "-c", clinic.config, "-f", "json").out)["checks"]
    assert [(check["verdict"], check["found"]) for check in checks if check["area"] == "CVEs"] == [
        ("note", "no CVE data of NuGet is read (turn on vulnerabilities.nuget)"),
        ("note", "no CVE data of Ubuntu is read (turn on vulnerabilities.ubuntu)"),
    ]


def test_a_fleet_without_images_is_told_where_to_name_them(bot: Command, clinic: Clinic, tmp_path: Path) -> None:
    empty = clinic.with_settings(tmp_path, store={"url": new_sqlite(tmp_path / "empty.db")})
    _, checks = examined(bot, empty)
    verdict, found, way_out = checks["CVEs", "images"]
    assert (verdict, found) == ("note", "no image of the fleet is known")
    assert "docs/operate/image.md" in str(way_out)


def test_a_missing_right_is_named_with_what_it_is_for(bot: Command, clinic: Clinic) -> None:
    own = clinic.world.github.edge.installations.of("fabrikam")
    before = dict(own.permissions)
    own.permissions = {**{name: level for name, level in before.items() if name != "issues"}, "contents": "read"}
    try:
        code, found = examined(bot, clinic.config)
    finally:
        own.permissions = before
    assert code == 1
    way_out = "grant it to the App, and have the owner accept that"
    assert found["permissions", "fabrikam: contents: write"] == (
        "wrong",
        "missing, to read files, and make the branches and commits of pull requests",
        way_out,
    )
    assert found["permissions", "fabrikam: issues: write"][0] == "note"


@pytest.mark.parametrize(("is_wished", "verdict"), [(True, "wrong"), (False, "note")])
def test_the_right_to_write_deployment_records_is_needed_where_they_are_wished(
    bot: Command, clinic: Clinic, tmp_path: Path, is_wished: bool, verdict: str
) -> None:
    own = clinic.world.github.edge.installations.of("fabrikam")
    before = dict(own.permissions)
    own.permissions = {name: level for name, level in before.items() if name != "artifact_metadata"}
    (tmp_path / "token").write_text("t" * 24)
    west = {"name": "west", "environment": "production", "kind": "push", "token_file": str(tmp_path / "token")}
    running = {"deployment_records": is_wished, "sources": [west]}
    try:
        _, found = examined(bot, clinic.with_settings(tmp_path, running=running, web={"listen": "127.0.0.1:0"}))
    finally:
        own.permissions = before
    told, what, _ = found["permissions", "fabrikam: artifact_metadata: write"]
    assert (told, what) == (verdict, "missing, to write deployment records, where wished")


def test_a_suspended_installation_and_one_that_is_not_there_are_wrong(
    bot: Command, clinic: Clinic, tmp_path: Path
) -> None:
    github = yaml.safe_load(clinic.config.read_text())["github"]
    github["app"]["installations"] = ["fabrikam", "adventure-works"]
    clinic.world.github.suspend("fabrikam")
    try:
        code, found = examined(bot, clinic.with_settings(tmp_path, github=github))
    finally:
        clinic.world.github.edge.installations.of("fabrikam").suspended_at = None
    assert code == 1
    assert found["GitHub", "fabrikam"] == (
        "wrong",
        "the App's installation there is suspended",
        "its owner can end that",
    )
    assert found["GitHub", "adventure-works"][:2] == ("wrong", "the App is not installed there")
    assert found["GitHub", "contoso"][0] == "note"


def test_a_registry_without_an_answer_cannot_be_told(bot: Command, clinic: Clinic) -> None:
    clinic.world.faults.add("HEAD", "/v2/dotnet/aspnet/", status=503, times=20)
    try:
        code, found = examined(bot, clinic.config)
    finally:
        clinic.world.faults.clear()
    assert code == 3
    assert found["registries", clinic.world.registry.host][0] == "unknown"


def test_a_token_that_ghcr_does_not_take_is_wrong(bot: Command, clinic: Clinic, tmp_path: Path) -> None:
    settings = yaml.safe_load(clinic.config.read_text())
    (tmp_path / "packages").write_text("github_pat_" + "a" * 60)
    login = {"username": "octocat", "password_file": str(tmp_path / "packages")}
    changed = clinic.with_settings(tmp_path, registries={**settings["registries"], "ghcr.io": login})
    code, found = examined(bot, changed)
    assert code == 1
    verdict, _, way_out = found["registries", "ghcr.io: token"]
    assert verdict == "wrong"
    assert way_out is not None
    assert "classic token with read:packages" in way_out


def test_slack_that_refuses_the_token_is_wrong(bot: Command, clinic: Clinic) -> None:
    clinic.world.faults.add("POST", "/api/auth.test", status=200, body='{"ok": false, "error": "invalid_auth"}')
    try:
        code, found = examined(bot, clinic.config)
    finally:
        clinic.world.faults.clear()
    assert code == 1
    assert found["messages", "Slack"][0] == "wrong"


def test_a_scope_that_slack_has_not_granted_is_named_with_what_it_is_for(bot: Command, clinic: Clinic) -> None:
    signed_in = '{"ok": true, "user": "freshness", "team": "Contoso"}'
    headers = {"x-oauth-scopes": "chat:write,users:read"}
    clinic.world.faults.add("POST", "/api/auth.test", status=200, body=signed_in, headers=headers)
    try:
        code, found = examined(bot, clinic.config)
    finally:
        clinic.world.faults.clear()
    assert code == 1
    assert found["messages", "Slack: chat:write"][0] == "fine"
    verdict, told, way_out = found["messages", "Slack: channels:history or groups:history"]
    assert verdict == "wrong"
    assert told.startswith("missing, to look whether a message got through")
    assert way_out == "grant it to the app, and install that anew"


def test_a_service_of_apprise_is_opened_and_named_without_its_address(
    bot: Command, clinic: Clinic, tmp_path: Path
) -> None:
    urls = tmp_path / "urls"
    urls.write_text("jsons://hooks.example/2f1c0b7d\n")
    config = clinic.with_settings(tmp_path, apprise={"urls_file": str(urls)})
    _, found = examined(bot, config)
    assert found["messages", "apprise jsons"][:2] == ("note", "a service cannot be tried without a message")
    urls.write_text("discord://2f1c0b7d\n")
    code, found = examined(bot, config)
    assert code == 1
    verdict, told, _ = found["messages", "apprise"]
    assert verdict == "wrong"
    assert told.startswith(
        f"{urls}: apprise.urls_file, line 1: apprise discord: is not written as apprise wants it"
    )


def test_a_token_tells_no_rights(bot: Command, clinic: Clinic, tmp_path: Path) -> None:
    github = yaml.safe_load(clinic.config.read_text())["github"]
    del github["app"]
    (tmp_path / "token").write_text(clinic.world.github.token)
    changed = clinic.with_settings(tmp_path, github={**github, "token_file": str(tmp_path / "token")})
    code, found = examined(bot, changed)
    assert code == 0, {name: each for name, each in found.items() if each[0] not in ("fine", "note")}
    assert found["GitHub", "token"][0] == "note"


def test_where_github_does_not_answer_it_says_what_whoever_asks_can_do(
    bot: Command, clinic: Clinic, tmp_path: Path
) -> None:
    (tmp_path / "token").write_text(clinic.world.github.token)
    nowhere = {"api_url": "http://localhost:9", "token_file": str(tmp_path / "token")}

    code, found = examined(
        bot, clinic.with_settings(tmp_path, github={**nowhere, "repositories": {"include": ["contoso/*"]}})
    )
    assert code == 3
    verdict, _, way_out = found["GitHub", "access"]
    assert (verdict, way_out) == ("unknown", "see that it is up and that this machine reaches it, and ask again")


def test_settings_that_cannot_be_read_end_with_2(bot: Command, clinic: Clinic, tmp_path: Path) -> None:
    assert (
        bot("doctor", "-c", clinic.with_settings(tmp_path, store={"url": "sqlite:////nowhere/at/all.db"})).code == 2
    )


def test_the_table_fits_80_columns(bot: Command, clinic: Clinic, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.cli.screen.output._width", lambda: 80)
    ran = bot("doctor", "-c", clinic.config, "--all")
    assert ran.code == 0
    assert "below that line" in " ".join(ran.out.split())
    assert max(map(len, ran.out.splitlines())) <= 80, ran.out
