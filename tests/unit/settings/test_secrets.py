"""Secret files: what is missing or cannot be the secret is known before the first request, and never quoted."""

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from bot.clients.forges.github import AppCredentials, GitHubAccess, TokenCredentials
from bot.clients.http.client import Http
from bot.clients.notifiers.slack import SlackBot, SlackWebhook
from bot.clients.registry import RegistryAccess
from bot.settings import BadSettings, Settings, check_secrets, secret

SECRET = "ghp_0123456789abcdefghijABCDEFGHIJ"
Checked = Callable[..., list[str]]


@pytest.fixture
def checked() -> Checked:
    """The lines that checking gives for settings, in which owners are named unless they say otherwise."""

    def lines(**values: Any) -> list[str]:
        github = {"repositories": {"include": ["contoso/*"]}} | values.pop("github", {})
        try:
            check_secrets(Settings.model_validate({"github": github, **values}), Path("freshness.yaml"))
        except BadSettings as error:
            return error.lines
        return []

    return lines


@pytest.fixture
def token(tmp_path: Path) -> Path:
    path = tmp_path / "token"
    path.write_text(f"{SECRET}\n")
    return path


@pytest.fixture(scope="module")
def private_key() -> str:
    key = rsa.generate_private_key(65537, 2048)
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.TraditionalOpenSSL,
        serialization.NoEncryption(),
    ).decode()


def test_the_line_end_of_an_editor_is_no_part_of_a_secret(token: Path) -> None:
    assert secret(token, "github.token_file") == SECRET


class TestASecretFile:
    def test_that_is_missing_is_named_with_its_key(self, checked: Checked, tmp_path: Path) -> None:
        path = tmp_path / "absent"
        assert checked(github={"token_file": path}) == [
            f"{path}: cannot read github.token_file: No such file or directory; mount the secret there"
        ]

    def test_that_is_a_folder_is_named(self, checked: Checked, tmp_path: Path) -> None:
        assert "Is a directory" in checked(github={"token_file": tmp_path})[0]

    def test_with_an_impossible_path_is_named(self, checked: Checked) -> None:
        assert "cannot read github.token_file" in checked(github={"token_file": "a\0b"})[0]

    @pytest.mark.parametrize("text", ["", "\n", " \n\t"])
    def test_that_is_empty_is_named(self, checked: Checked, token: Path, text: str) -> None:
        token.write_text(text)
        assert checked(github={"token_file": token}) == [
            f"{token}: github.token_file is empty; write the secret into the file"
        ]

    def test_that_never_ends_is_read_up_to_the_bound(self, checked: Checked) -> None:
        [line] = checked(github={"token_file": "/dev/zero"})
        assert "larger than 256 KiB" in line

    def test_that_is_no_text_is_named(self, checked: Checked, token: Path) -> None:
        token.write_bytes(b"\xff\xfe\x00")
        assert "it is no text" in checked(github={"token_file": token})[0]

    @pytest.mark.parametrize("text", [f"token: {SECRET}", f"{SECRET}\n{SECRET}", f"{SECRET}é"])
    def test_with_more_than_a_token_is_named_and_not_quoted(self, checked: Checked, token: Path, text: str) -> None:
        token.write_text(text)
        [line] = checked(github={"token_file": token})
        assert line == f"{token}: github.token_file is no token; write the token alone into the file"

    def test_must_be_a_private_key_for_an_app(self, checked: Checked, token: Path) -> None:
        [line] = checked(github={"app": {"id": 1, "private_key_file": token}})
        assert "is no private key in PEM" in line
        assert SECRET not in line

    def test_with_an_apps_key_is_fine(self, checked: Checked, token: Path, private_key: str) -> None:
        token.write_text(private_key)
        assert checked(github={"app": {"id": 1, "private_key_file": token}}) == []

    def test_must_hold_certificates_for_an_authority(self, checked: Checked, token: Path) -> None:
        assert checked(
            github={"token_file": token}, registries={"r.example": {"ca_file": token}}, bases=["r.example/*"]
        ) == [f"{token}: registries.r.example.ca_file holds no certificates in PEM"]

    @pytest.mark.parametrize(
        ("url", "defect"),
        [
            (SECRET, "is no address"),
            ("http://hooks.example/services/T/B/secret", "would cross the network in the clear"),
        ],
    )
    def test_must_hold_the_address_of_a_webhook(
        self, checked: Checked, token: Path, tmp_path: Path, url: str, defect: str
    ) -> None:
        webhook = tmp_path / "webhook"
        webhook.write_text(url)
        [line] = checked(github={"token_file": token}, slack={"webhook_file": webhook})
        assert f"slack.webhook_file {defect}" in line
        assert url not in line

    def test_must_hold_addresses_of_services_that_are_sent_to_by_https(
        self, checked: Checked, token: Path, tmp_path: Path
    ) -> None:
        urls = tmp_path / "urls"
        urls.write_text(f"discord://1/{SECRET}\njson://hooks.example/{SECRET}\n")
        values = {"github": {"token_file": token}, "apprise": {"urls_file": urls}}
        assert checked(**values) == [
            f"{urls}: apprise.urls_file would send in the clear in line 2: write jsons:// for json://"
        ]
        urls.write_text(f"discord://1/{SECRET}\njsons://hooks.example/{SECRET}\n")
        assert checked(**values) == []

    @pytest.mark.parametrize("text", ["whsec_", "whsec_c2hvcnQ=", "not base64", "whsec_" + "A" * 100])
    def test_must_hold_a_key_that_signs_events(
        self, checked: Checked, token: Path, tmp_path: Path, text: str
    ) -> None:
        webhook, key = tmp_path / "webhook", tmp_path / "key"
        webhook.write_text("https://events.example/hooks/1")
        key.write_text(text)
        events = {"webhook_file": webhook, "signing_key_file": key}
        [line] = checked(github={"token_file": token}, events=events)
        assert "events.signing_key_file is no key of 24 to 64 bytes in base64" in line
        key.write_text("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
        assert checked(github={"token_file": token}, events=events) == []


class TestSigningIn:
    def test_to_github_needs_a_way(self, checked: Checked) -> None:
        assert checked() == ["freshness.yaml: github: no way to sign in; set github.app or github.token_file"]

    def test_to_github_needs_only_one(
        self, checked: Checked, token: Path, private_key: str, tmp_path: Path
    ) -> None:
        key = tmp_path / "key"
        key.write_text(private_key)
        assert checked(github={"token_file": token, "app": {"id": 1, "private_key_file": key}}) == [
            "freshness.yaml: github: app and token_file are both set; keep one"
        ]

    def test_to_github_by_a_token_names_the_owners(self, checked: Checked, token: Path) -> None:
        include = ["contoso/*", "*/shop"]
        assert checked(github={"token_file": token, "repositories": {"include": include}}) == [
            "freshness.yaml: github.repositories.include: '*/shop' leaves the owner open, and a person's token "
            'cannot list those; write "OWNER/*" for each organisation or user, or use a GitHub App'
        ]

    def test_to_github_by_a_token_of_an_app_needs_no_owners(self, checked: Checked, token: Path) -> None:
        token.write_text("ghs_12345")
        assert checked(github={"token_file": token, "repositories": {"include": ["*"]}}) == []

    @pytest.mark.parametrize("both", [True, False])
    def test_to_slack_goes_one_way(self, checked: Checked, token: Path, tmp_path: Path, both: bool) -> None:
        webhook = tmp_path / "webhook"
        webhook.write_text("https://hooks.example/services/T/B/s")
        slack = {"webhook_file": webhook, "bot_token_file": token, "channel": "C1"} if both else {"channel": "C1"}
        assert checked(github={"token_file": token}, slack=slack) == [
            "freshness.yaml: slack: set either webhook_file or bot_token_file"
        ]

    def test_to_slack_as_a_bot_needs_a_channel(self, checked: Checked, token: Path) -> None:
        assert checked(github={"token_file": token}, slack={"bot_token_file": token}) == [
            "freshness.yaml: slack.channel: missing; a bot token needs to know the channel's id"
        ]

    def test_names_every_lack_at_once(self, checked: Checked) -> None:
        assert len(checked(slack={"bot_token_file": "absent"}, store={"password_file": "absent"})) == 4


def test_settings_know_where_a_secret_is_and_not_what(token: Path) -> None:
    settings = Settings.model_validate({"github": {"token_file": token}, "slack": {"bot_token_file": token}})
    assert SECRET not in repr(settings)
    assert SECRET not in settings.model_dump_json()


@pytest.mark.parametrize(
    "holder",
    [
        TokenCredentials(SECRET),
        AppCredentials(1, SECRET),
        GitHubAccess("https://api.github.com", TokenCredentials(SECRET)),
        RegistryAccess("ghcr.io", "me", SECRET),
        SlackBot(Http(), SECRET, "C1"),
        SlackWebhook(Http(), f"https://hooks.slack.com/services/{SECRET}"),
    ],
    ids=lambda holder: type(holder).__name__,
)
def test_who_holds_a_secret_does_not_show_it(holder: object) -> None:
    assert dataclasses.is_dataclass(holder)
    assert SECRET not in repr(holder)
    assert SECRET not in str(holder)
