"""Values that make no sense: one line for each, with place, reason and what to write."""

from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.cron import Cron
from bot.domain.rollouts.policy import ActionPreference
from bot.settings import Settings, load
from tests.unit.settings.conftest import Refused, refusal

OF_PYDANTIC = ("Settings", "instance", "dictionary", "Input", "should be", "pydantic", "validat")


def written(folder: Path, text: str) -> Path:
    path = folder / "freshness.yaml"
    path.write_text(text)
    return path


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("githb: {}", "1: githb: unknown key; did you mean 'github'?"),
        ("GitHub: {}", "1: GitHub: unknown key; did you mean 'github'?"),
        (
            "github:\n  repositories:\n    includ: []",
            "3: github.repositories.includ: unknown key; did you mean 'include'?",
        ),
        (
            "rollout:\n  zzz: 1",
            "2: rollout.zzz: unknown key; known here: waves, pause_when_failed, first_run, first_run_severity, "
            "build_within, join_timeout, image_within",
        ),
        ("policy:\n  - settel: 1h", "2: policy.0.settel: unknown key; did you mean 'settle'?"),
        (
            "registries:\n  ghcr.io: {user: me}",
            "2: registries.ghcr.io.user: unknown key; did you mean 'username'?",
        ),
        ("github: 3", "1: github: expected keys such as api_url: below it, found 3"),
        ("slack: text", "1: slack: expected keys such as webhook_file: below it, found text"),
        (
            "registries:\n  mcr.microsoft.com:",
            "2: registries.mcr.microsoft.com: expected keys such as username: below it, found nothing; "
            "write {} for the defaults",
        ),
        ("policy: {}", "1: policy: expected a list, found keys"),
        ("policy:\n- match: x", "2: policy.0.match: expected keys such as repositories: below it, found text"),
        ("bases: [1]", "1: bases.0: expected text, found 1; put it in quotes"),
        ("bases: ['']", "1: bases.0: expected a name, found an empty one"),
        ("log: loud", "1: log: expected one of 'json' or 'text'"),
        ("limits: {content_per_minute: many}", "1: limits.content_per_minute: expected a whole number, found text"),
        ("limits: {content_per_minute: 0}", "1: limits.content_per_minute: expected at least 1"),
        (
            "github: {seconds_between_writes: .nan}",
            "1: github.seconds_between_writes: expected a number, found nan",
        ),
        ("github: {token_file: [x]}", "1: github.token_file: expected a path, found a list"),
        (
            "registries: {a.io: {insecure: maybe}}",
            "1: registries.a.io.insecure: expected true or false, found text",
        ),
        (
            "github:\n  app: {id: 1}",
            "2: github.app.private_key_file: missing; file with the App's private key (PEM)",
        ),
        (
            "policy: [{action: mail}]",
            "1: policy.0.action: expected one of 'auto', 'pull_request', 'dispatch' or 'notify'",
        ),
        (
            "policy: [{workflow: ../x.yml}]",
            "1: policy.0.workflow: write the name of a file in .github/workflows, or azure-pipelines: "
            "organisation/project/number, where the number is definitionId in the pipeline's address",
        ),
        (
            "slack: {mention: '@ann'}",
            "1: slack.mention: does not fit; write for example here or channel or S0123456789; who is called where "
            "somebody must act",
        ),
        (
            "images: {attest: {key_file: /k, verifier: contoso}}",
            "1: images.attest.verifier: does not fit; write for example https://freshness.example.com; URI that "
            "statements name as who verified",
        ),
        (
            "gate: {rules: [{match: ['*']}], exceptions: [{cve: x, reason: r, until: 2027-01-01}]}",
            "1: gate.exceptions.0.cve: does not fit; write for example CVE-2026-21218; its id, or GitHub's for it",
        ),
        (
            "trust: {rules: [{match: ['*'], notation: {trust_dir: /t, stores: [acme], identities: ['*']}}]}",
            "1: trust.rules.0.notation.stores.0: does not fit; write for example ca:contoso",
        ),
        (
            "azure_devops: {}",
            "1: azure_devops.organizations: missing; organisations, and how the bot signs in",
        ),
        (
            "azure_devops: {organizations: {}}",
            "1: azure_devops.organizations: name an organisation, or leave azure_devops out",
        ),
        (
            "azure_devops: {organizations: {contoso: {}}}",
            "1: azure_devops.organizations.contoso: set one way to sign in: identity or token_file",
        ),
        (
            "azure_devops: {organizations: {contoso: {token_file: /t, client_id: x}}}",
            "1: azure_devops.organizations.contoso: client_id needs identity beside it",
        ),
        ("feeds: {msrc: 1}", "1: feeds.msrc: write true, false or {url: https://…}"),
        ("feeds: {msrc: {url: msrc}}", "1: feeds.msrc.url: no address; write https://HOST/PATH"),
    ],
)
def test_a_wrong_value_is_said_in_plain_words(refused: Refused, text: str, line: str) -> None:
    assert refused(text) == [line]


def test_every_defect_is_named_at_once(refused: Refused) -> None:
    assert len(refused("githb: {}\nlog: loud\nschedule: {poll: x, feeds: y}")) == 4


@pytest.mark.parametrize("value", ["3", "text", "[1]", "{a: {b: c}}", "null", "2024-01-01", "true", "1.5"])
@pytest.mark.parametrize("section", sorted(Settings.model_fields))
def test_no_line_speaks_the_language_of_the_program(tmp_path: Path, section: str, value: str) -> None:
    lines = refusal(written(tmp_path, f"{section}: {value}"))
    assert not [line for line in lines for word in OF_PYDANTIC if word in line]


class TestDurations:
    @pytest.mark.parametrize("text", ["15", "-1m", "1h30m", "1.5h", "1w", "[1h]", "true", "m", "٣m"])
    def test_need_a_number_and_a_unit(self, refused: Refused, text: str) -> None:
        assert refused(f"schedule: {{poll: {text}}}") == [
            "1: schedule.poll: write a number and a unit, for example 90s, 15m, 6h or 7d"
        ]

    def test_are_bounded(self, refused: Refused) -> None:
        assert refused("policy: [{settle: 9999999999d}]") == [
            "1: policy.0.settle: longer than 3650 days; write a shorter time"
        ]

    def test_between_two_looks_are_no_shorter_than_a_second(self, refused: Refused) -> None:
        assert refused("schedule: {poll: 0s}") == [
            "1: schedule.poll: write at least 1s; the bot would ask without a pause"
        ]

    @given(seconds=st.integers(1, 86_400 * 3650))
    def test_are_written_as_they_are_read(self, seconds: int) -> None:
        settings = Settings.model_validate({"schedule": {"poll": f"{seconds}s"}})
        shown = settings.model_dump()["schedule"]["poll"]
        assert Settings.model_validate({"schedule": {"poll": shown}}).schedule.poll == timedelta(seconds=seconds)


@pytest.mark.parametrize("text", ["20", "0.2", "101%", "-1%", "a fifth", "null"])
def test_a_share_is_a_percentage(refused: Refused, text: str) -> None:
    assert refused(f"rollout: {{pause_when_failed: {text}}}") == [
        "1: rollout.pause_when_failed: write a percentage, for example 20%"
    ]


@pytest.mark.parametrize(
    "text", ["mon", "mon-fry 08:00-17:00", "mon 8-17", "mon 25:00-26:00", "mon 08:00-17:00 Mars/Olympus", "3"]
)
def test_a_window_has_days_and_times(refused: Refused, text: str) -> None:
    [line] = refused(f"policy: [{{windows: ['{text}']}}]")
    assert line.startswith(f"1: policy.0.windows.0: {text!r} is no window")
    assert line.endswith("write 'always' or for example 'mon-fri 08:00-17:00 Europe/Berlin'")


class TestAddresses:
    @pytest.mark.parametrize("url", ["http://localhost:3000", "http://127.0.0.1", "https://ghe.example/api/v3"])
    def test_of_this_machine_may_be_plain(self, tmp_path: Path, url: str) -> None:
        assert load(written(tmp_path, f"github: {{api_url: '{url}'}}")).github.api_url == url

    @pytest.mark.parametrize("key", ["github", "slack"])
    def test_that_a_token_goes_to_are_https(self, refused: Refused, key: str) -> None:
        assert refused(f"{key}: {{api_url: 'http://ghe.example/api'}}") == [
            f"1: {key}.api_url: a token would cross the network in the clear; write https://"
        ]

    @pytest.mark.parametrize("url", ["ghe.example", "ftp://ghe.example", "https://", "https://[::1", "https://a b"])
    def test_have_scheme_and_host(self, refused: Refused, url: str) -> None:
        assert refused(f"github: {{api_url: '{url}'}}") == [
            "1: github.api_url: no address; write https://HOST/PATH"
        ]

    @pytest.mark.parametrize(
        "text",
        [
            "github: {api_url: 'https://me:hunter22@ghe.example'}",
            "feeds: {msrc: {url: 'https://hunter22@feeds.example'}}",
            "store: {url: 'postgresql://me:hunter22@db.example/bot'}",
            "store: {url: 'postgresql://me@db.example/bot?password=hunter22'}",
        ],
    )
    def test_hold_no_credentials_and_the_line_does_not_repeat_them(self, refused: Refused, text: str) -> None:
        [line] = refused(text)
        assert "file" in line
        assert "hunter22" not in line

    @pytest.mark.parametrize("url", ["mysql://h/db", "freshness.db", "postgresql:h", "sqlite://["])
    def test_of_the_store_are_sqlite_or_postgresql(self, refused: Refused, url: str) -> None:
        assert refused(f"store: {{url: '{url}'}}") == [
            "1: store.url: write sqlite:///PATH or postgresql://USER@HOST/NAME"
        ]

    @pytest.mark.parametrize("url", ["sqlite://", "sqlite:///", "sqlite:///:memory:", "sqlite://data/store.db"])
    def test_of_the_store_name_a_file_where_they_are_of_sqlite(self, refused: Refused, url: str) -> None:
        assert refused(f"store: {{url: '{url}'}}") == ["1: store.url: names no file; write sqlite:///PATH"]

    @pytest.mark.parametrize("rest", ["?timeout=x", "?timeout=5", "?mode=ro&uri=true", "#store"])
    def test_of_a_file_of_sqlite_end_with_its_path(self, refused: Refused, rest: str) -> None:
        assert refused(f"store: {{url: 'sqlite:////data/store.db{rest}'}}") == [
            "1: store.url: nothing behind the path of a SQLite file has an effect; write sqlite:///PATH"
        ]


class TestRegistries:
    @pytest.mark.parametrize("key", ["https://mcr.microsoft.com", "mcr.microsoft.com/dotnet", "MCR.microsoft.com"])
    def test_are_named_by_host_alone(self, refused: Refused, key: str) -> None:
        assert refused(f"registries: {{'{key}': {{}}}}") == [
            f"1: registries: {key!r} is no registry host; write mcr.microsoft.com"
        ]

    def test_of_hopeless_names_get_an_example(self, refused: Refused) -> None:
        [line] = refused("registries: {'a b': {}}")
        assert "HOST or HOST:PORT" in line

    def test_need_user_and_password_together(self, refused: Refused) -> None:
        assert refused("registries: {ghcr.io: {username: me}}") == [
            "1: registries.ghcr.io: username needs password_file beside it"
        ]

    def test_take_a_password_in_the_clear_on_this_machine_only(self, refused: Refused, tmp_path: Path) -> None:
        text = "registries: {'%s': {username: me, password_file: p, insecure: true}}\nbases: []"
        [line] = refused(text % "registry.example:5000")
        assert "insecure would send the password in the clear" in line
        assert load(written(tmp_path, text % "localhost:5000")).registries["localhost:5000"].insecure

    def test_are_listed_for_every_base(self, refused: Refused) -> None:
        assert refused("bases: ['ghcr.io/contoso/*']") == [
            "1: bases: 'ghcr.io/contoso/*' is on 'ghcr.io', which is not in registries; add it there"
        ]

    def test_are_not_needed_for_a_glob_over_hosts(self, tmp_path: Path) -> None:
        assert load(written(tmp_path, "bases: ['*/dotnet/*']")).bases == ["*/dotnet/*"]


class TestRules:
    def test_become_the_policy(self, tmp_path: Path) -> None:
        path = written(tmp_path, "policy:\n- match: {causes: [os-update]}\n  action: notify\n  settle: 2h\n")
        [rule] = load(path).rules.rules
        assert (rule.action, rule.settle) == (ActionPreference.NOTIFY, timedelta(hours=2))

    @pytest.mark.parametrize(
        ("match", "place"), [("causes: [os]", "causes.0"), ("min_severity: severe", "min_severity")]
    )
    def test_name_only_what_exists(self, refused: Refused, match: str, place: str) -> None:
        [line] = refused(f"policy: [{{match: {{{match}}}}}]")
        assert line.startswith(f"1: policy.0.match.{place}: expected one of '")


class TestEnvironment:
    def test_wins_over_the_file(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("FRESHNESS_BOT_STORE__URL", "postgresql://bot@db/freshness")
        settings = load(written(tmp_path, "store: {url: 'sqlite:///other.db', password_file: p}"))
        assert settings.store.url == "postgresql://bot@db/freshness"
        assert settings.store.password_file == Path("p")

    @pytest.mark.parametrize(
        ("name", "guess"),
        [
            ("FRESHNESS_BOT_STOR__URL", "'store'"),
            ("freshness_bot_stor__url", "'store'"),
            ("FRESHNESS_BOT_LOGS", "'log'"),
        ],
    )
    def test_with_an_unknown_name_is_refused(
        self, refused: Refused, monkeypatch: pytest.MonkeyPatch, name: str, guess: str
    ) -> None:
        monkeypatch.setenv(name, "x")
        assert refused("log: text") == [f"environment {name}: unknown setting; did you mean {guess}?"]

    @pytest.mark.parametrize(
        ("name", "value", "line"),
        [
            ("FRESHNESS_BOT_STORE__URLS", "x", "unknown key; did you mean 'url'?"),
            (
                "FRESHNESS_BOT_SCHEDULE__POLL",
                "often",
                "write a number and a unit, for example 90s, 15m, 6h or 7d",
            ),
            ("FRESHNESS_BOT_LOG", "loud", "expected one of 'json' or 'text'"),
            ("FRESHNESS_BOT_LOG__X", "x", "log has no keys below it; set FRESHNESS_BOT_LOG"),
            ("FRESHNESS_BOT_BASES__0", "x", "expected a list, found keys"),
            (
                "FRESHNESS_BOT_POLICY",
                '[{"wave": "canary"}]',
                "0.wave: no wave is called 'canary'; rollout.waves has rest",
            ),
            ("FRESHNESS_BOT_REGISTRIES__GHCR.IO__USERNAME", "me", "username needs password_file beside it"),
            ("FRESHNESS_BOT_STORE__PASSWORD_FILE", "", "empty; write a value, or leave the key out"),
            (
                "FRESHNESS_BOT_LIMITS__CONTENT_PER_HOUR",
                "501",
                "GitHub stops whoever writes more than 500 in any hour; write at most 500",
            ),
        ],
    )
    def test_is_named_where_it_is_wrong(
        self, refused: Refused, monkeypatch: pytest.MonkeyPatch, name: str, value: str, line: str
    ) -> None:
        monkeypatch.setenv(name, value)
        assert refused("schedule: {feeds: 1h}") == [f"environment {name}: {line}"]

    def test_with_a_broken_section_is_refused_without_its_value(
        self, refused: Refused, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("FRESHNESS_BOT_STORE", "{hunter22")
        [line] = refused("log: text")
        assert line.startswith("environment FRESHNESS_BOT_STORE: no JSON; ")
        assert "hunter22" not in line

    def test_may_name_the_settings_file(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("FRESHNESS_BOT_CONFIG", "elsewhere.yaml")
        assert load(written(tmp_path, "log: text")).log == "text"


def test_equal_keys_in_other_letters_are_unknown(refused: Refused) -> None:
    assert refused("log: text\nLOG: json") == ["2: LOG: unknown key; did you mean 'log'?"]


class TestFormerNames:
    def test_count_as_the_new_ones_and_are_told(self, tmp_path: Path) -> None:
        settings = load(written(tmp_path, "limits: {writes_per_hour: 5}"))
        assert settings.limits.content_per_hour == 5
        assert settings.former_names() == [
            "limits.writes_per_hour is now called limits.content_per_hour; it counts still, rename it"
        ]

    def test_the_digest_is_called_a_summary(self, tmp_path: Path) -> None:
        settings = load(written(tmp_path, 'schedule: {digest: "0 7 * * 5", timezone: Europe/Berlin}'))
        assert settings.summary == Cron("0 7 * * 5", "Europe/Berlin")
        assert settings.former_names() == [
            "schedule.digest is now called schedule.summary; it counts still, rename it"
        ]

    def test_an_installation_named_by_its_id_is_still_the_only_one(self, tmp_path: Path) -> None:
        app = "{id: 1, private_key_file: /k.pem, installation: 67}"
        settings = load(written(tmp_path, f"github: {{app: {app}}}"))
        assert settings.github.app is not None
        assert (settings.github.app.only, settings.github.app.installations) == (67, "all")
        assert settings.former_names() == [
            "github.app.installation is now called github.app.installations and takes names of owners; it counts "
            "still, rename it"
        ]

    def test_an_installation_beside_installations_is_refused(self, refused: Refused) -> None:
        both = "github: {app: {id: 1, private_key_file: /k.pem, installation: 67, installations: [contoso]}}"
        assert refused(both) == [
            "1: github.app: installation is the old name of installations; keep the new one alone"
        ]

    def test_count_from_the_environment_too(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("FRESHNESS_BOT_LIMITS__WRITES_PER_MINUTE", "7")
        settings = load(written(tmp_path, "log: text"))
        assert settings.limits.content_per_minute == 7
        assert len(settings.former_names()) == 1

    def test_are_refused_beside_the_new_one(self, refused: Refused) -> None:
        assert refused("limits: {writes_per_hour: 5, content_per_hour: 6}") == [
            "1: limits: writes_per_hour is the old name of content_per_hour; keep the new one alone"
        ]

    def test_are_not_in_use_where_the_new_ones_are(self, tmp_path: Path) -> None:
        assert load(written(tmp_path, "limits: {content_per_hour: 5}")).former_names() == []
