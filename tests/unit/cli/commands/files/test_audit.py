"""`audit`: its exit codes and its formats."""

import json
import sys
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from bot.cli.commands.files.audit import audit
from bot.domain.failure import Failure
from tests.unit.files.audit.world import deployment

HARDENED = """securityContext:
  runAsNonRoot: true
  allowPrivilegeEscalation: false
  readOnlyRootFilesystem: true
  seccompProfile: {type: RuntimeDefault}
  capabilities: {drop: [ALL]}
volumeMounts: [{name: tmp, mountPath: /tmp}]
"""
POD = "automountServiceAccountToken: false\nvolumes: [{name: tmp, emptyDir: {}}]"
IMAGE = f"contoso/api:1.0@sha256:{'a' * 64}"


def run(*words: object) -> tuple[int, str]:
    app = typer.Typer()
    app.command()(audit)
    result = CliRunner().invoke(app, [str(word) for word in words])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result.exit_code, result.stdout


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    (tmp_path / "deploy").mkdir()
    (tmp_path / "deploy" / "api.yaml").write_text(deployment(HARDENED, POD, IMAGE))
    return tmp_path


def test_all_that_holds_is_0(checkout: Path) -> None:
    assert run(checkout)[0] == 0


def test_an_empty_checkout_is_0_and_says_that_nothing_was_checked(tmp_path: Path) -> None:
    assert run(tmp_path) == (0, "0 findings: nothing here is what a check is about\n")


def test_something_that_fails_is_1(checkout: Path) -> None:
    (checkout / "Dockerfile").write_text("FROM mcr.microsoft.com/dotnet/aspnet:8.0\n")
    assert run(checkout)[0] == 1


def test_something_that_cannot_be_told_is_3(checkout: Path) -> None:
    (checkout / "Dockerfile").write_text("FROM contoso/base:1\n")
    assert run(checkout)[0] == 3


def test_1_wins_over_3(checkout: Path) -> None:
    (checkout / "Dockerfile").write_text("FROM contoso/base\n")
    assert run(checkout)[0] == 1


def test_a_missing_folder_is_bad_input(tmp_path: Path) -> None:
    with pytest.raises(Failure, match="no such file or folder"):
        run(tmp_path / "missing")


def test_one_file_can_be_asked(checkout: Path) -> None:
    code, output = run(checkout / "deploy" / "api.yaml", "--format", "json")
    assert code == 0
    assert {row["path"] for row in json.loads(output)} == {"api.yaml"}


def test_json_is_a_list_of_rows(checkout: Path) -> None:
    rows = json.loads(run(checkout, "-f", "json")[1])
    assert {row["outcome"] for row in rows} == {"holds", "not applicable"}


def test_sarif_is_a_log(checkout: Path) -> None:
    log = json.loads(run(checkout, "-f", "sarif")[1])
    assert (log["version"], log["runs"][0]["results"]) == ("2.1.0", [])


def test_markdown_counts(checkout: Path) -> None:
    assert run(checkout, "-f", "markdown")[1].startswith("**Practices**: ")


def test_the_table_leaves_out_what_holds_unless_asked(checkout: Path) -> None:
    assert "read-only-root" not in run(checkout)[1]
    assert "read-only-root" in run(checkout, "--all")[1]


def test_links_are_not_followed(checkout: Path, tmp_path: Path) -> None:
    if sys.platform == "win32":
        pytest.skip("links need rights there")
    (checkout / "link.yaml").symlink_to(checkout / "deploy" / "api.yaml")
    rows = json.loads(run(checkout, "-f", "json")[1])
    assert {row["path"] for row in rows} == {"deploy/api.yaml"}


@pytest.fixture
def with_tests(checkout: Path) -> Path:
    for folder in ("tests", "golden"):
        (checkout / folder).mkdir()
        (checkout / folder / "api.yaml").write_text(deployment())
    return checkout


def test_one_line_says_what_is_left_out_and_one_what_may_be_a_fixture(with_tests: Path) -> None:
    code, output = run(with_tests)
    lines = output.splitlines()
    assert lines[1].startswith("1 file left out, which --all judges: tests (1, by its name")
    assert lines[2].startswith("golden may hold fixtures: ")
    assert "tests/api.yaml" not in output
    assert "golden/api.yaml" not in output
    assert code == 1


def test_all_judges_what_is_left_out(with_tests: Path) -> None:
    _, output = run(with_tests, "--all")
    assert "left out" not in output
    assert "tests/api.yaml" in output
    assert "golden/api.yaml" in output


def test_json_lists_what_is_left_out_with_its_files(with_tests: Path) -> None:
    _, output = run(with_tests, "--format", "json")
    rows = json.loads(output)
    assert [(row["path"], row["left_out"]) for row in rows if row["outcome"] == "left out"] == [
        ("tests", ["tests/api.yaml"])
    ]
    assert {tuple(row)[:10] for row in rows} == {tuple(rows[0])}


def test_a_workflow_that_is_no_yaml_is_3(checkout: Path) -> None:
    (checkout / ".github" / "workflows").mkdir(parents=True)
    (checkout / ".github" / "workflows" / "build.yml").write_text("on: push\njobs: [\n")
    code, output = run(checkout)
    assert code == 3
    assert "the file is not valid YAML" in output


TITLE = "${{ github.event.pull_request.title }}"
WORKFLOW = f"""on: pull_request_target
permissions: {{}}
jobs:
  greet:
    runs-on: ubuntu-latest
    steps: [{{run: "echo {TITLE}"}}]
"""
needs_zizmor = pytest.mark.skipif(
    not (Path(sys.executable).parent / "zizmor").exists(), reason="zizmor is missing: make set-up"
)


@pytest.fixture
def injected(tmp_path: Path) -> Path:
    (tmp_path / ".github" / "workflows").mkdir(parents=True)
    (tmp_path / ".github" / "workflows" / "greet.yml").write_text(WORKFLOW)
    return tmp_path


@needs_zizmor
def test_what_zizmor_finds_is_joined_and_told_apart(injected: Path) -> None:
    assert run(injected)[0] == 0
    code, output = run(injected, "--with", "zizmor", "--format", "sarif")
    ours, theirs = json.loads(output)["runs"]
    assert code == 1
    assert (ours["tool"]["driver"]["name"], theirs["tool"]["driver"]["name"]) == ("freshness-bot", "zizmor")
    assert "zizmor/template-injection" in {each["ruleId"] for each in theirs["results"]}
    rows = json.loads(run(injected, "--with", "zizmor", "--format", "json")[1])
    assert {row["path"] for row in rows if row["check"] == "zizmor/template-injection"} == {
        ".github/workflows/greet.yml"
    }
    for form in ("table", "markdown"):
        assert "zizmor/template-injection" in run(injected, "--with", "zizmor", "--format", form)[1]


@needs_zizmor
def test_zizmor_finds_nothing_where_there_are_no_workflows(tmp_path: Path) -> None:
    code, output = run(tmp_path, "--with", "zizmor")
    assert code == 0
    assert "zizmor: 0 results" in output


def test_a_tool_that_is_not_installed_is_one_clear_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.clients.zizmor.NAME", "zizmor-that-nobody-has")
    with pytest.raises(Failure, match="is not installed"):
        run(tmp_path, "--with", "zizmor")


def test_another_tool_looks_at_a_checkout_alone() -> None:
    with pytest.raises(Failure, match="looks at a checkout alone"):
        run("contoso/shop", "--with", "zizmor")
