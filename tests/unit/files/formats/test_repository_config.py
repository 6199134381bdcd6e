from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.repositories.repository_config import Ignore, RepositoryConfig
from bot.domain.rollouts.policy import ActionPreference
from bot.domain.rollouts.terms import PathWorkflow
from bot.files.formats.repository_config import LARGEST_CONFIG, PATH, parse
from bot.files.formats.source.text import decode

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
UNTIL_CORRECTED = "nothing new is written to this repository until it is corrected"


def config(text: str) -> RepositoryConfig:
    read, problems = parse(text, NOW)
    assert problems == ()
    return read


def told(text: str) -> str:
    _, problems = parse(text, NOW)
    assert len(problems) == 1, problems
    assert problems[0].path == PATH
    return problems[0].message


def test_all_that_a_repository_may_ask_for() -> None:
    text = """
enabled: false
action: pull_request
workflow: rebuild.yml
owners: [octocat, "@hubot", contoso/platform]
labels: [dependencies, "area: images"]
workflows:
  - paths: [services/shop/*, common/*]
    workflow: .github/workflows/shop.yml
    images: "*/shop"
ignore:
  - path: legacy/*
    until: 2026-12-31
    reason: replaced by
      the new shop
  - base: mcr.microsoft.com/dotnet/aspnet:6.0*
    reason: out of support on purpose
"""
    assert config(text) == RepositoryConfig(
        enabled=False,
        action=ActionPreference.PULL_REQUEST,
        workflow="rebuild.yml",
        workflows=(PathWorkflow(("services/shop/*", "common/*"), "shop.yml", ("*/shop",)),),
        labels=("dependencies", "area: images"),
        reviewers=("octocat", "hubot"),
        team_reviewers=("platform",),
        ignored=(
            Ignore(path="legacy/*", until=date(2026, 12, 31), reason="replaced by the new shop"),
            Ignore(base="mcr.microsoft.com/dotnet/aspnet:6.0*", reason="out of support on purpose"),
        ),
    )


@pytest.mark.parametrize(
    "text", ["", "# nothing yet\n", "---\n", "null", "enabled:\n", "ignore: []\n", "ignore:\n"]
)
def test_an_empty_file_asks_for_nothing(text: str) -> None:
    assert config(text) == RepositoryConfig()


@pytest.mark.parametrize(
    ("written", "enabled"), [("true", True), ("no", False), ("Off", False), ("'false'", False)]
)
def test_yes_and_no_as_people_write_them(written: str, enabled: bool) -> None:
    assert config(f"enabled: {written}").enabled is enabled


def test_a_single_value_counts_as_a_list_of_one() -> None:
    assert config("owners: contoso/platform").team_reviewers == ("platform",)


def test_a_workflow_may_be_written_with_its_folder() -> None:
    assert config("workflow: .github/workflows/rebuild.yaml").workflow == "rebuild.yaml"


def test_an_ignore_lasts_through_its_last_day() -> None:
    (entry,) = config("ignore: [{path: a/*, until: 2026-06-01, reason: r}]").ignored
    assert entry.holds("a/Dockerfile", "x", date(2026, 6, 1))
    assert not entry.holds("a/Dockerfile", "x", date(2026, 6, 2))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("lables: [a]", "'lables' is no key here and does not count; did you mean labels?"),
        ("ignored: []", "'ignored' is no key here and does not count; did you mean ignore?"),
        (
            "xyz: 1",
            "'xyz' is no key here and does not count; known are enabled, action, workflow, workflows, owners, "
            "labels, produces, ignore",
        ),
        (
            "? [a]\n: 1",
            "what stands here is no key here and does not count; known are enabled, action, "
            "workflow, workflows, owners, labels, produces, ignore",
        ),
        ("enabled: fales", f"enabled: 'fales' does not count; write true or false; {UNTIL_CORRECTED}"),
        ("enabled: [false]", f"enabled: what stands here does not count; write true or false; {UNTIL_CORRECTED}"),
        ("action: merge", "action: 'merge' does not count; write one of auto, pull_request, dispatch, notify"),
        (
            'workflow: "azure-pipelines: contoso/shop/12"\nworkflows: [{paths: [src/**], workflow: src.yml}]',
            "a pipeline does not count beside workflows; keep one of the two",
        ),
        (
            "workflow: ../../x.yml",
            "workflow: '../../x.yml' does not count; write the name of a file in .github/workflows, or "
            '"azure-pipelines: organisation/project/number"',
        ),
        ("owners: [a b]", "owners: 'a b' does not count; write a GitHub login or organization/team"),
        (
            "labels: ['']",
            "labels: '' does not count; write a label of at most 50 characters, none of the bot's own",
        ),
        (
            "labels: ['freshness:ignore']",
            "labels: 'freshness:ignore' does not count; write a label of at most 50 characters, "
            "none of the bot's own",
        ),
        ("ignore: [x]", "an entry of ignore needs path, base or check; it is skipped"),
        (
            "ignore: [{reason: r}]",
            "an entry of ignore needs path, base or check; to ignore all, set enabled: false",
        ),
        (
            "ignore: [{path: a, reason: r, untill: 2027-01-01}]",
            "'untill' is no key here and does not count; did you mean until?",
        ),
        (
            "ignore: [{path: a, reason: r, until: soon}]",
            "until: 'soon' does not count; write a day such as 2027-01-31",
        ),
        (
            "ignore: [{path: a, reason: r, until: 2026-05-31}]",
            "this ignore ended on 2026-05-31; remove it or give it a new day",
        ),
        ("ignore: [{path: a}]", "this ignore has no reason; say why, for whoever reads it next"),
        ("enabled: true\n---\nenabled: false", "only the first document of the file counts; remove the others"),
        ("workflows: shop.yml\n", "an entry of workflows needs paths and workflow; it is skipped"),
        ("workflows: [{paths: [a/*]}]\n", "an entry of workflows needs paths and workflow; it is skipped"),
    ],
)
def test_what_does_not_count_is_told(text: str, message: str) -> None:
    assert told(text) == message


def test_a_problem_names_its_line() -> None:
    _, problems = parse("enabled: true\n\naction: merge\n", NOW)
    assert problems[0].line == 3


def test_one_wrong_key_leaves_the_others_as_they_are() -> None:
    read, problems = parse("action: merge\nlabels: [dependencies]\n", NOW)
    assert read == RepositoryConfig(labels=("dependencies",))
    assert len(problems) == 1


def test_an_ignore_with_a_wrong_day_hides_nothing() -> None:
    read, _ = parse("ignore: [{path: a, reason: r, until: 2027-02-30}]", NOW)
    assert read.ignored == ()


@pytest.mark.parametrize("text", ["enabled: [", "- enabled", "enabled", "a: *b", "\x00", "\t- x: ["])
def test_a_file_that_cannot_be_read_may_say_no_and_counts_as_one(text: str) -> None:
    read, problems = parse(text, NOW)
    assert (read.enabled, read.refusal is not None) == (False, True)
    assert len(problems) == 1
    assert problems[0].message.endswith(f"; {UNTIL_CORRECTED}")


@pytest.mark.parametrize(
    "text",
    [
        *("Enabled: false", "ENABLED: no", "enable: false", "disabled: true", "'enabled ': off"),
        *("enabled: 0", "enabled: never", "enabled: ''", "enabled: {a: b}", "enabled: n"),
    ],
)
def test_an_enabled_that_is_not_understood_counts_as_a_no(text: str) -> None:
    read, problems = parse(f"{text}\nlabels: [dependencies]\n", NOW)
    assert (read.enabled, read.labels) == (False, ("dependencies",))
    assert "cannot be understood" in (read.refusal or "")
    assert problems[0].message.endswith(UNTIL_CORRECTED)


@given(st.sampled_from(["utf-16", "utf-16-le", "utf-32"]), st.sampled_from(["enabled: false\n", "labels: [a]\n"]))
def test_a_text_in_another_encoding_counts_as_a_no(encoding: str, text: str) -> None:
    read, problems = parse(decode(text.encode(encoding)), NOW)
    assert (read.enabled, len(problems)) == (False, 1)


def test_an_opt_out_that_is_understood_says_so() -> None:
    assert config("enabled: off").refusal == "the repository opted out in .github/freshness.yaml"


def test_a_large_file_is_not_read() -> None:
    assert "more than 65,536 characters" in told("#" * (LARGEST_CONFIG + 1))


def test_aliases_that_multiply_cost_nothing() -> None:
    layers = "".join(
        f"{chr(ord(name) + 1)}: &{chr(ord(name) + 1)} [{', '.join([f'*{name}'] * 9)}]\n" for name in "abcdefghi"
    )
    read, problems = parse(f"a: &a [x]\n{layers}labels: *j\n", NOW)
    assert read.labels == ()
    assert problems


def test_long_lists_are_cut() -> None:
    read, problems = parse(f"labels: [{', '.join(f'l{number}' for number in range(500))}]", NOW)
    assert len(read.labels) == 100
    assert problems[0].message == "labels has more than 100 entries; the rest does not count"


def test_no_more_problems_are_told_than_somebody_reads() -> None:
    _, problems = parse("".join(f"k{number}: 1\n" for number in range(1000)), NOW)
    assert len(problems) == 20


keys = st.sampled_from(["enabled", "action", "workflow", "owners", "labels", "ignore", "until", "<<", "x"])
scalars = st.sampled_from(
    ["true", "no", "auto", "a.yml", "octocat", "*a", "&a x", "'", "2027-01-01", "{path: a}", "[x]"]
)
lines = st.builds("{}: {}\n".format, keys, scalars | st.text(max_size=12))


@given(st.text() | st.lists(lines, max_size=6).map("".join))
def test_any_text_gives_a_configuration(text: str) -> None:
    read, problems = parse(text, NOW)
    assert isinstance(read, RepositoryConfig)
    for problem in problems:
        assert 1 <= problem.line <= text.count("\n") + 1
        assert problem.message.isprintable()


def test_a_pipeline_may_be_what_rebuilds_it() -> None:
    config, problems = parse('workflow: "azure-pipelines: contoso/Web Shop/12"\n', NOW)
    assert (config.workflow, problems) == ("azure-pipelines: contoso/Web Shop/12", ())
