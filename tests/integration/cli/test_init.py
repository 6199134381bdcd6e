"""`init`: five questions, and a settings file that `config check` takes."""

import io
from pathlib import Path

import pytest
import yaml

from tests.integration.cli.conftest import Command

ROOT = Path(__file__).parents[3]


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path / "freshness.yaml"


def test_the_answers_make_a_file_that_config_check_takes(
    bot: Command, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    secrets = file.parent / "secrets"
    secrets.mkdir()
    (secrets / "github-token").write_text("ghp_x")
    (secrets / "slack-token").write_text("xoxb-1")
    monkeypatch.setattr("sys.stdin", io.StringIO("\n\ncontoso\nC0123456789\nsqlite:///freshness.db\n"))
    ran = bot("init", "--secrets", secrets)
    assert (ran.code, ran.err) == (0, "")
    assert f"put the Slack app's bot token into {secrets}/slack-token (there is a file already)" in ran.out
    assert "name under `registries`, beside mcr.microsoft.com, where your own images are" in ran.out
    assert "say under `vulnerabilities` whose CVEs of packages are read" in ran.out
    checked = bot("config", "check", "-c", file)
    assert (checked.code, checked.out) == (0, f"{file}: all settings are valid\n")


def test_a_folder_for_the_store_that_is_not_there_is_still_to_be_made(bot: Command, file: Path) -> None:
    words = ["--github", "github.com", "--app", 1, "--owners", "*", "--channel", "-"]
    assert "- make the folder data, where" in bot("init", *words, "--store", "sqlite:///data/a.db").out
    assert "make the folder" not in bot("init", *words, "--store", "sqlite:///a.db", "--force").out


def test_what_options_answer_is_not_asked(bot: Command, file: Path) -> None:
    ran = bot(
        "init", "--github", "github.com", "--app", 1, "--owners", "*", "--channel", "-", "--store", "sqlite:///a"
    )
    assert ran.code == 0
    assert "?" not in ran.out
    assert "private_key_file: /run/secrets/github-app.pem" in file.read_text()


def test_a_file_that_is_there_stays(bot: Command, file: Path) -> None:
    file.write_text("log: text\n")
    ran = bot("init")
    assert (ran.code, ran.err) == (2, "freshness.yaml: there is a file already; use --force, or --output\n")
    assert file.read_text() == "log: text\n"


@pytest.mark.parametrize("address", ["https://dev.azure.com/contoso", "contoso.visualstudio.com", "gitlab.com"])
def test_another_forge_is_refused_by_its_name_before_anything_else_is_asked(
    bot: Command, file: Path, address: str
) -> None:
    ran = bot("init", "--github", address)
    assert (ran.code, ran.out) == (2, "")
    assert "which the bot does not work with yet" in ran.err
    assert not file.exists()


def test_an_answer_that_is_not_valid_is_named_and_nothing_is_written(bot: Command, file: Path) -> None:
    ran = bot(
        "init", "--github", "github.com", "--app", 1, "--owners", "*", "--channel", "-", "--store", "mysql://x"
    )
    assert ran.code == 2
    assert "store.url" in ran.err
    assert list(file.parent.iterdir()) == []


def test_a_question_that_nobody_answers_is_bad_input(
    bot: Command, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(""))
    ran = bot("init")
    assert ran.code == 2
    assert ran.err.strip() == "a question was not answered; answer it by its option, which --help tells"
    assert not file.exists()


class CtrlC(io.StringIO):
    """A terminal at which somebody presses Ctrl-C."""

    def readline(self, size: int | None = -1, /) -> str:  # type: ignore[override]
        raise KeyboardInterrupt


def test_ctrl_c_at_a_question_interrupts(bot: Command, file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", CtrlC())
    assert bot("init").code == 130


@pytest.mark.parametrize(("app", "gives"), [(1, "app-private-key"), (0, "token")])
def test_the_file_for_github_actions_has_at_most_25_lines_and_gives_what_the_action_takes(
    bot: Command, file: Path, app: int, gives: str
) -> None:
    ran = bot("init", "--action", "--app", app)
    assert (ran.code, ran.err) == (0, "")
    text = (file.parent / ".github/workflows/freshness.yml").read_text()
    assert len(text.splitlines()) <= 25
    [step] = yaml.safe_load(text)["jobs"]["freshness"]["steps"]
    taken = yaml.safe_load((ROOT / "action.yml").read_text())["inputs"]
    assert gives in step["with"]
    assert step["with"].keys() <= taken.keys()


def test_the_file_for_github_actions_is_the_one_in_its_document(bot: Command, file: Path) -> None:
    bot("init", "--action", "--app", 1)
    assert (file.parent / ".github/workflows/freshness.yml").read_text() in (ROOT / "docs/action.md").read_text()


def test_a_workflow_that_is_there_stays(bot: Command, file: Path) -> None:
    bot("init", "--action", "--app", 1)
    again = bot("init", "--action", "--app", 0)
    assert (again.code, again.err) == (2, ".github/workflows/freshness.yml: there is a file already; use --force\n")
