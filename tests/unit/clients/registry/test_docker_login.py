"""What a person's `docker login` has kept is shown to the registries that a command asks."""

import base64
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bot.clients.http.client import Http
from bot.clients.registry.challenge import SignIn, basic
from bot.clients.registry.docker import DockerLogin, docker_config
from bot.domain.failure import Failure, Trouble

JO = SignIn(basic=basic("jo", "pass:word"))
AUTH = base64.b64encode(b"jo:pass:word").decode()


async def kept(config: dict[str, Any], registry: str = "ghcr.io") -> SignIn:
    return await DockerLogin(registry, config, Path("config.json")).sign_in(Http())


@pytest.fixture
def helper(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Installs a credential helper called `test` that does as its Python text says with `server`."""

    def install(text: str) -> None:
        program = tmp_path / "docker-credential-test"
        program.write_text(f"#!{sys.executable}\nimport sys, json\nserver = sys.stdin.read()\n{text}\n")
        program.chmod(0o700)
        monkeypatch.setenv("PATH", str(tmp_path), prepend=":")

    return install


@pytest.mark.parametrize(
    ("entry", "shown"),
    [
        ({"auth": AUTH}, JO),
        ({"username": "jo", "password": "pass:word"}, JO),
        ({"auth": AUTH, "identitytoken": "rt"}, SignIn(refresh_token="rt")),
        ({}, SignIn()),
    ],
    ids=["one text", "two texts", "az acr login", "kept elsewhere"],
)
async def test_what_docker_login_keeps_is_shown(entry: dict[str, str], shown: SignIn) -> None:
    assert await kept({"auths": {"ghcr.io": entry}}) == shown


async def test_another_registrys_credentials_are_never_shown() -> None:
    assert await kept({"auths": {"quay.io": {"auth": AUTH}}}) == SignIn()


@pytest.mark.parametrize("name", ["https://index.docker.io/v1/", "docker.io"])
async def test_docker_hub_is_known_under_its_old_address_too(name: str) -> None:
    assert await kept({"auths": {name: {"auth": AUTH}}}, "docker.io") == JO


@pytest.mark.parametrize("entry", [{"auth": "%%%"}, {"auth": "am8="}, "jo"])
async def test_what_cannot_be_read_names_the_command_that_mends_it(entry: Any) -> None:
    with pytest.raises(Failure, match=r"has no readable credentials for ghcr\.io") as caught:
        await kept({"auths": {"ghcr.io": entry}})
    assert caught.value.advice == "docker login ghcr.io"


class TestACredentialHelper:
    @pytest.mark.parametrize("config", [{"credsStore": "test"}, {"credHelpers": {"ghcr.io": "test"}}])
    async def test_is_asked_for_its_host(self, helper: Callable[..., None], config: dict[str, Any]) -> None:
        helper('print(json.dumps({"ServerURL": server, "Username": server, "Secret": "s"}))')
        assert await kept(config) == SignIn(basic=basic("ghcr.io", "s"))

    async def test_may_keep_a_refresh_token(self, helper: Callable[..., None]) -> None:
        helper('print(json.dumps({"Username": "<token>", "Secret": "rt"}))')
        assert await kept({"credsStore": "test"}) == SignIn(refresh_token="rt")

    async def test_of_the_host_goes_before_the_common_one(self, helper: Callable[..., None]) -> None:
        helper('print(json.dumps({"Username": "jo", "Secret": "pass:word"}))')
        assert await kept({"credsStore": "absent", "credHelpers": {"ghcr.io": "test"}}) == JO

    async def test_that_knows_nothing_leaves_the_bot_nobody(self, helper: Callable[..., None]) -> None:
        helper('print("credentials not found in native keychain"); sys.exit(1)')
        assert await kept({"credsStore": "test"}) == SignIn()

    @pytest.mark.parametrize(
        ("does", "told"),
        [
            ('print("the keychain is locked"); sys.exit(1)', "failed: the keychain is locked"),
            ('print("[]")', "answered with no credentials"),
        ],
    )
    async def test_that_fails_is_named(self, helper: Callable[..., None], does: str, told: str) -> None:
        helper(does)
        with pytest.raises(Failure, match=f"docker-credential-test {told}"):
            await kept({"credsStore": "test"})

    async def test_that_is_missing_is_named(self) -> None:
        with pytest.raises(Failure, match="docker-credential-absent, which does not start") as caught:
            await kept({"credsStore": "absent"})
        assert caught.value.trouble is Trouble.DENIED

    async def test_is_no_path(self) -> None:
        with pytest.raises(Failure, match="is no name of a credential helper"):
            await kept({"credsStore": "../../evil"})


def test_the_configuration_is_where_docker_has_it(tmp_path: Path) -> None:
    (tmp_path / ".docker").mkdir()
    path = tmp_path / ".docker" / "config.json"
    path.write_text(json.dumps({"credsStore": "x"}))
    assert docker_config({"HOME": str(tmp_path)}) == ({"credsStore": "x"}, path)
    assert docker_config({"HOME": "/nowhere", "DOCKER_CONFIG": str(path.parent)}) == ({"credsStore": "x"}, path)
    assert docker_config({"HOME": "/nowhere"}) is None
    assert docker_config({}) is None


@pytest.mark.parametrize("text", ["{", "[]", "\x00"])
def test_a_configuration_that_cannot_be_read_is_named(tmp_path: Path, text: str) -> None:
    (tmp_path / "config.json").write_text(text)
    with pytest.raises(Failure, match="is no JSON object"):
        docker_config({"DOCKER_CONFIG": str(tmp_path)})
