"""A first settings file: what a few answers become, and that the loader takes it."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.settings import Settings, check_secrets, load
from bot.settings.starting import Answers, api_url, settings_text


def loaded(folder: Path, answers: Answers) -> Settings:
    path = folder / "freshness.yaml"
    path.write_text(settings_text(answers, path.name))
    return load(path)


def test_an_app_reads_what_it_is_installed_on(tmp_path: Path) -> None:
    settings = loaded(tmp_path, Answers(app=12345, secrets=tmp_path))
    assert settings.github.app is not None
    assert (settings.github.app.id, settings.github.app.private_key_file) == (12345, tmp_path / "github-app.pem")
    assert settings.github.repositories.include == ["*"]


def test_a_token_reads_the_owners_that_are_named(tmp_path: Path) -> None:
    settings = loaded(tmp_path, Answers(owners=("contoso", "fabrikam"), secrets=tmp_path))
    assert settings.github.token_file == tmp_path / "github-token"
    assert settings.github.repositories.include == ["contoso/*", "fabrikam/*"]


def test_a_channel_needs_a_bot_token(tmp_path: Path) -> None:
    settings = loaded(tmp_path, Answers(owners=("contoso",), channel="C0123456789", secrets=tmp_path))
    assert settings.slack is not None
    assert (settings.slack.channel, settings.slack.bot_token_file) == ("C0123456789", tmp_path / "slack-token")


@pytest.mark.parametrize("scheme", ["postgresql", "postgres"])
def test_postgresql_asks_for_its_password_and_for_no_folder(scheme: str, tmp_path: Path) -> None:
    answers = Answers(owners=("contoso",), store=f"{scheme}://freshness@db/freshness", secrets=tmp_path)
    assert loaded(tmp_path, answers).store.password_file == tmp_path / "database-password"
    assert answers.folder is None


def test_with_the_secrets_in_place_nothing_is_missing(tmp_path: Path) -> None:
    answers = Answers(owners=("contoso",), channel="C0123456789", secrets=tmp_path)
    settings = loaded(tmp_path, answers)
    for path in answers.secret_files:
        path.write_text("xoxb-1")
    check_secrets(settings, tmp_path / "freshness.yaml")


@pytest.mark.parametrize(
    ("address", "api"),
    [
        ("https://github.com", "https://api.github.com"),
        ("github.com", "https://api.github.com"),
        ("https://github.contoso.com/", "https://github.contoso.com/api/v3"),
        ("github.contoso.com", "https://github.contoso.com/api/v3"),
        ("https://github.contoso.com/api/v3", "https://github.contoso.com/api/v3"),
    ],
)
def test_the_api_is_found_from_the_address_that_people_visit(address: str, api: str) -> None:
    assert api_url(address) == api


@given(st.text(st.characters(blacklist_categories=["Cs", "Cc"]), min_size=1, max_size=30).filter(str.strip))
def test_whatever_a_channel_is_called_the_file_says_the_same(
    tmp_path_factory: pytest.TempPathFactory, channel: str
) -> None:
    settings = loaded(tmp_path_factory.mktemp("answers"), Answers(owners=("contoso",), channel=channel))
    assert settings.slack is not None
    assert settings.slack.channel == channel
