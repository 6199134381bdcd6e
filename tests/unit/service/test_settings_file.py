"""A changed settings file, or secret, is taken up once it is valid; until then those before stay in force."""

from datetime import timedelta
from pathlib import Path

import pytest

from bot.service.settings_file import SettingsFile
from bot.settings import BadSettings


def written(folder: Path, *lines: str) -> Path:
    path = folder / "freshness.yaml"
    token = folder / "token"
    if not token.exists():
        token.write_text("ghp_x")
    path.write_text(
        "\n".join((f"github: {{token_file: {token}, repositories: {{include: [contoso/*]}}}}", *lines)) + "\n"
    )
    return path


@pytest.fixture
def file(tmp_path: Path) -> SettingsFile:
    return SettingsFile.read(written(tmp_path))


def test_what_did_not_change_is_not_taken_up(file: SettingsFile) -> None:
    assert not file.take_up()


def test_a_file_that_is_not_valid_at_the_start_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadSettings):
        SettingsFile.read(written(tmp_path, "schedule: {poll: soon}"))


def test_a_valid_change_is_in_force_at_once(file: SettingsFile) -> None:
    written(file.path.parent, "schedule: {poll: 5m}")
    assert file.take_up()
    assert file.settings.schedule.poll == timedelta(minutes=5)
    assert not file.take_up()


def test_a_change_that_is_not_valid_keeps_those_before_and_says_why(file: SettingsFile) -> None:
    written(file.path.parent, "schedule: {poll: soon}")
    assert not file.take_up()
    assert file.settings.schedule.poll == timedelta(minutes=15)
    (problem,) = file.problems
    assert problem.startswith(f"{file.path}:2: schedule.poll: ")


def test_a_change_taken_back_is_no_problem_any_more(file: SettingsFile) -> None:
    written(file.path.parent, "schedule: {poll: soon}")
    file.take_up()
    written(file.path.parent)
    assert not file.take_up()
    assert file.problems == ()


def test_a_secret_that_changes_is_taken_up(file: SettingsFile) -> None:
    (file.path.parent / "token").write_text("ghp_other")
    assert file.take_up()


def test_a_secret_that_only_the_new_settings_name_may_come_later(file: SettingsFile) -> None:
    webhook = file.path.parent / "webhook"
    written(file.path.parent, f"slack: {{webhook_file: {webhook}}}")
    assert not file.take_up()
    webhook.write_text("https://hooks.slack.example/x")
    assert file.take_up()
    assert file.problems == ()


def test_settings_with_which_nothing_can_be_opened_are_tried_once(file: SettingsFile) -> None:
    written(file.path.parent, "schedule: {poll: 5m}")
    file.take_up()
    assert file.take_back("the store does not answer")
    assert file.settings.schedule.poll == timedelta(minutes=15)
    assert not file.take_up()
    assert file.problems == ("the store does not answer",)


def test_settings_that_were_opened_are_not_taken_back(file: SettingsFile) -> None:
    written(file.path.parent, "schedule: {poll: 5m}")
    file.take_up()
    file.opened()
    assert not file.take_back("the store does not answer")
