"""`init`: what the chosen way needs is asked, written, and tried as far as that can be."""

import io
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
import yaml

from bot.cli.commands.service.init import LAPTOP
from bot.cli.groups import GROUPS
from bot.settings import load
from sandbox.programs.parts import MissingPart
from sandbox.world import World
from tests.integration.cli.conftest import Command

ROOT = Path(__file__).parents[3]


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path / "freshness.yaml"


NOTHING_TO_ASK = (
    *("--way", "container", "--github", "github.com", "--app", 1, "--owners", "*", "--channel", "-"),
    *("--registries", "-", "--no-cves", "--azure-devops", "-"),
)


def answering(monkeypatch: pytest.MonkeyPatch, *answers: str) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("".join(f"{answer}\n" for answer in answers)))


def test_the_answers_make_a_file_that_config_check_takes(
    bot: Command, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    secrets = file.parent / "secrets"
    secrets.mkdir()
    (secrets / "slack-token").write_text("xoxb-1")
    answering(monkeypatch, "container", "", "", "contoso", "C0123456789", "", "", "")
    ran = bot("init", "--secrets", secrets)
    assert (ran.code, ran.err) == (0, "")
    assert f"put the Slack app's bot token into {secrets}/slack-token (there is a file already)" in ran.out
    assert "Read the CVEs of packages (at most 20 MB a day, 2 more where images are of Azure Linux, " in ran.out
    assert "let the addresses of CVE data through: at most 20 MB a day" in ran.out
    ubuntu = "2,720 more where they are of Ubuntu (some 50 where its host sends parts of a dump and no new packages"
    assert ubuntu in " ".join(ran.out.split())
    assert load(file).vulnerabilities.is_recommended
    (secrets / "github-token").write_text("ghp_x")
    checked = bot("config", "check", "-c", file)
    assert (checked.code, checked.out) == (0, f"{file}: all settings are valid\n")
    assert yaml.safe_load(file.read_text())["registries"] == {"mcr.microsoft.com": {}, "ghcr.io": {}}


def test_a_token_is_asked_for_owners_and_an_app_is_not(
    bot: Command, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    answering(monkeypatch, "", "12345", "-", "-", "n", "")
    ran = bot("init", "--way", "container")
    assert ran.code == 0
    assert "Whose repositories" not in ran.out
    assert "Where to remember" not in ran.out, "one container has its store beside it"
    assert "say under `vulnerabilities` whose CVEs of packages are read" in ran.out
    assert "vulnerabilities" not in file.read_text()
    assert "name under `registries`, beside mcr.microsoft.com, where your own images are" in ran.out


def test_a_cluster_is_asked_where_to_remember_and_told_the_overlay_that_fits(
    bot: Command, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    answering(monkeypatch, "", "12345", "-", "myacr.azurecr.io", "postgresql://freshness@db/freshness", "", "")
    ran = bot("init", "--way", "cluster")
    assert (ran.code, ran.err) == (0, "")
    assert "put it into deploy/overlays/replicated/freshness.yaml" in ran.out
    assert ran.out.endswith("Next: kubectl apply -k deploy/overlays/replicated\n")
    assert yaml.safe_load(file.read_text())["registries"]["myacr.azurecr.io"] == {"azure": "workload_identity"}


def test_a_laptop_is_asked_nothing_more_and_no_file_is_written(
    bot: Command, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    answering(monkeypatch, "laptop")
    ran = bot("init")
    assert (ran.code, ran.err) == (0, "")
    assert "freshness-bot scan ." in ran.out
    assert {words.split()[0] for words in LAPTOP} <= {name for group in GROUPS.values() for name in group}
    assert list(file.parent.iterdir()) == []


def test_a_way_that_nobody_knows_is_named(bot: Command, file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    answering(monkeypatch, "boat")
    ran = bot("init")
    assert ran.code == 2
    assert "there is no way 'boat'; write one of laptop, action, container, cluster" in ran.err


@pytest.mark.parametrize("overlay", ["single", "replicated"])
def test_for_a_cluster_it_writes_what_the_manifests_hold(bot: Command, file: Path, overlay: str) -> None:
    held = yaml.safe_load((ROOT / f"deploy/overlays/{overlay}/freshness.yaml").read_text())
    words = ("--github", "github.com", "--app", 12345, "--owners", "contoso", "--channel", "C0123456789")
    ran = bot(
        "init",
        "--way",
        "cluster",
        *words,
        "--registries",
        "ghcr.io",
        "--store",
        held["store"]["url"],
        "--no-cves",
        "--azure-devops",
        "-",
    )
    assert ran.code == 0
    assert yaml.safe_load(file.read_text()) == held


def test_a_folder_for_the_store_that_is_not_there_is_still_to_be_made(bot: Command, file: Path) -> None:
    assert "- make the folder data, where" in bot("init", *NOTHING_TO_ASK).out
    assert "make the folder" not in bot("init", *NOTHING_TO_ASK, "--store", "sqlite:///a.db", "--force").out


def test_what_options_answer_is_not_asked(bot: Command, file: Path) -> None:
    ran = bot("init", *NOTHING_TO_ASK)
    assert ran.code == 0
    assert "?" not in ran.out
    assert "private_key_file: /run/secrets/github-app.pem" in file.read_text()


def test_a_file_that_is_there_stays(bot: Command, file: Path) -> None:
    file.write_text("log: text\n")
    ran = bot("init")
    assert (ran.code, ran.err) == (2, "freshness.yaml: there is a file already; use --force, or --output\n")
    assert file.read_text() == "log: text\n"


@pytest.mark.parametrize(
    ("address", "told"),
    [
        ("https://dev.azure.com/contoso", "is Azure DevOps; name its organisations by --azure-devops"),
        ("contoso.visualstudio.com", "is Azure DevOps; name its organisations by --azure-devops"),
        ("gitlab.com", "is GitLab, which the bot does not work with yet"),
    ],
)
def test_another_forge_is_refused_by_its_name_before_anything_else_is_asked(
    bot: Command, file: Path, address: str, told: str
) -> None:
    ran = bot("init", "--github", address)
    assert (ran.code, ran.out) == (2, "")
    assert told in ran.err
    assert not file.exists()


@pytest.mark.parametrize(
    ("owners", "told"),
    [
        ("https://github.com/contoso", "'https://github.com/contoso' is an address; write contoso"),
        ("contoso,a b", "'a b' is no name of an organization or owner; write for example contoso"),
        ("contoso/shop", "'contoso/shop' is no name of an organization or owner; write for example contoso"),
    ],
)
def test_what_nobody_is_called_by_is_no_owner(bot: Command, file: Path, owners: str, told: str) -> None:
    ran = bot("init", "--owners", owners)
    assert (ran.code, ran.out, ran.err) == (2, "", f"--owners: {told}\n")
    assert not file.exists()


def test_an_answer_that_is_not_valid_is_named_and_nothing_is_written(bot: Command, file: Path) -> None:
    ran = bot("init", *NOTHING_TO_ASK, "--store", "mysql://x")
    assert ran.code == 2
    assert ran.err == f"{file.name}:16: store.url: write sqlite:///PATH or postgresql://USER@HOST/NAME\n"
    assert list(file.parent.iterdir()) == []


def test_a_question_that_nobody_answers_is_bad_input(
    bot: Command, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(""))
    ran = bot("init")
    assert ran.code == 2
    assert ran.err.strip() == "a question was not answered; answer it by its option, which --help tells"
    assert not file.exists()


def test_a_question_that_nobody_can_answer_is_bad_input(
    bot: Command, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", None)
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


# What it has just written is tried


def told_secrets(folder: Path) -> tuple[object, ...]:
    """A token that nobody has given out, and a store beside it."""
    secrets = folder / "secrets"
    secrets.mkdir()
    (secrets / "github-token").write_text("ghp_x")
    words = ("--way", "container", "--app", 0, "--owners", "contoso", "--channel", "-", "--registries", "-")
    return (
        *words,
        "--azure-devops",
        "-",
        "--no-cves",
        "--secrets",
        secrets,
        "--store",
        f"sqlite:///{folder}/freshness.db",
    )


def test_where_secrets_are_missing_one_line_says_which_and_the_next_command_tries_it(
    bot: Command, file: Path
) -> None:
    ran = bot("init", *NOTHING_TO_ASK, "--store", "sqlite:///freshness.db")
    assert (ran.code, ran.err) == (0, "")
    assert ran.out.splitlines()[-2:] == [
        "Not tried yet: /run/secrets/github-app.pem is not here",
        "Next: freshness-bot doctor -c freshness.yaml",
    ]


def test_where_no_network_is_there_one_line_says_so(bot: Command, file: Path) -> None:
    ran = bot("init", *told_secrets(file.parent), "--github", "https://localhost:1")
    assert ran.code == 0
    *_, not_tried, following = ran.out.splitlines()
    assert not_tried.startswith("Not tried yet: ")
    assert "localhost:1" in not_tried
    assert following == "Next: freshness-bot doctor -c freshness.yaml"


def test_a_secret_that_cannot_be_one_is_wrong(bot: Command, file: Path) -> None:
    words = told_secrets(file.parent)
    (file.parent / "secrets" / "github-token").write_text("two words")
    ran = bot("init", *words, "--github", "github.com")
    assert ran.code == 1
    assert "github.token_file is no token" in ran.out


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def enterprise() -> AsyncIterator[World]:
    """A GitHub that people have an address of, as of github.com alone in the world outside."""
    try:
        async with World(github="ghes-3.19") as world:
            yield world
    except MissingPart as missing:
        pytest.skip(str(missing))


def test_where_all_is_there_doctor_has_been_asked_and_the_next_command_looks(
    bot: Command, file: Path, enterprise: World
) -> None:
    words = told_secrets(file.parent)
    (file.parent / "secrets" / "github-token").write_text(enterprise.github.token)
    ran = bot("init", *words, "--github", enterprise.github.url)
    assert (ran.code, ran.err) == (0, ""), ran.out
    assert "a token of" in ran.out
    assert "not read yet" not in ran.out, "before the first pass no feed can have been read"
    assert ran.out.endswith("Next: freshness-bot once --dry-run -c freshness.yaml\n")


def test_a_token_that_is_refused_is_wrong(bot: Command, file: Path, enterprise: World) -> None:
    ran = bot("init", *told_secrets(file.parent), "--github", enterprise.github.url)
    assert ran.code == 1
    assert "401" in ran.out


# Beside other bots


def test_renovates_file_gets_the_rule_and_a_second_time_nothing(bot: Command, file: Path) -> None:
    settings = file.parent / "renovate.json"
    settings.write_text('{\n  "extends": ["config:recommended"]\n}\n')
    ran = bot("init", "--beside", "renovate")
    assert (ran.code, ran.err) == (0, "")
    assert ran.out == "renovate.json has Renovate leave .NET's base images now. Next: commit it\n"
    written = settings.read_text()
    assert bot("init", "--beside", "renovate").out == "Renovate leaves .NET's base images already.\n"
    assert settings.read_text() == written


def test_where_it_cannot_be_done_safely_the_lines_are_shown(bot: Command, file: Path) -> None:
    (file.parent / ".github").mkdir()
    settings = file.parent / ".github/dependabot.yml"
    text = "version: 2\nupdates: [{package-ecosystem: docker, directory: /, ignore: [{dependency-name: redis}]}]\n"
    settings.write_text(text)
    ran = bot("init", "--beside", "dependabot")
    assert (ran.code, settings.read_text()) == (1, text)
    assert ".github/dependabot.yml is left as it is: " in ran.out
    assert ran.out.endswith('  ignore:\n    - dependency-name: "dotnet/*"\n')


def test_without_settings_of_theirs_the_lines_are_shown(bot: Command, file: Path) -> None:
    ran = bot("init", "--beside", "renovate")
    assert ran.code == 1
    assert "There are no settings of Renovate's here." in ran.out
    assert '"matchUpdateTypes"' in ran.out
    assert list(file.parent.iterdir()) == []


def test_organisations_of_azure_devops_are_asked_for_with_their_projects(
    bot: Command, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    answering(monkeypatch, "contoso, fabrikam", "contoso/Web Shop")
    ran = bot("init", *NOTHING_TO_ASK[:-2], "--secrets", file.parent)
    assert (ran.code, ran.err) == (0, "")
    assert yaml.safe_load(file.read_text())["azure_devops"] == {
        "organizations": {
            name: {"token_file": f"{file.parent}/azure-devops-{name}"} for name in ("contoso", "fabrikam")
        },
        "repositories": {"include": ["contoso/Web Shop/*"]},
    }
    assert f"put a personal access token of fabrikam at Azure DevOps into {file.parent}/azure-devops-" in ran.out
    assert "azure_devops.organizations.fabrikam.token_file" in bot("config", "check", "-c", file).err
    for name in ("github-app.pem", "azure-devops-contoso", "azure-devops-fabrikam"):
        (file.parent / name).write_text("token")
    assert "azure_devops" not in bot("config", "check", "-c", file).err


def test_all_projects_are_read_unless_some_are_named_and_a_pod_signs_in_as_itself(bot: Command, file: Path) -> None:
    words = ("--store", "sqlite:////data/freshness.db", "--azure-devops", "contoso", "--projects", "*")
    assert bot("init", "--way", "cluster", *NOTHING_TO_ASK[2:-2], *words).code == 0
    assert yaml.safe_load(file.read_text())["azure_devops"] == {
        "organizations": {"contoso": {"identity": "workload_identity"}},
        "repositories": {"include": ["contoso/*/*"]},
    }


def test_pipelines_alone_need_no_project(bot: Command, file: Path) -> None:
    assert bot("init", *NOTHING_TO_ASK[:-2], "--azure-devops", "contoso", "--projects", "-").code == 0
    assert yaml.safe_load(file.read_text())["azure_devops"].keys() == {"organizations"}


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (
            ("https://dev.azure.com/contoso",),
            "--azure-devops: 'https://dev.azure.com/contoso' is no organisation; ",
        ),
        (("contoso", "--projects", "shop"), "--projects: 'shop' is no project; write organisation/project, or * "),
        (("contoso", "--projects", "fabrikam/shop"), "--projects: 'fabrikam/shop' is of none of the organisations"),
    ],
)
def test_what_azure_devops_never_calls_so_is_refused_in_one_line(
    bot: Command, file: Path, words: tuple[str, ...], line: str
) -> None:
    ran = bot("init", *NOTHING_TO_ASK[:-2], "--azure-devops", *words)
    assert (ran.code, ran.err.count("\n"), file.exists()) == (2, 1, False)
    assert line in ran.err


def test_projects_that_nobody_answers_are_told_in_one_line(
    bot: Command, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", None)
    ran = bot("init", *NOTHING_TO_ASK[:-2], "--azure-devops", "contoso")
    assert (ran.code, file.exists()) == (2, False)
    assert "a question was not answered; answer it by its option" in ran.err
