"""Values that would be taken in silence and do harm are refused, with the reason and what to write."""

from pathlib import Path

import pytest

from tests.unit.settings.conftest import Refused, refusal

RULE = "trust: {rules: [{match: ['*'], %s}]}"


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (
            "policy: [{labels: ['freshness:ignore']}]",
            "policy.0.labels.0: freshness:ignore tells the bot itself to leave a pull request alone; write another "
            "label",
        ),
        (
            "web: {auth: {proxy: {addresses: ['0.0.0.0/0']}}}",
            "web.auth.proxy.addresses.0: takes in so many that anybody could say who they are; write the addresses "
            "of your proxy alone, for example 10.0.0.7 or 10.0.0.0/24",
        ),
        (
            "web: {auth: {proxy: {addresses: ['::/1']}}}",
            "web.auth.proxy.addresses.0: takes in so many that anybody could say who they are; write the addresses "
            "of your proxy alone, for example 10.0.0.7 or 10.0.0.0/24",
        ),
        (
            "limits: {read_reserve: 100%}",
            "limits: read_reserve: 100% would leave the bot next to nothing to read with; write at most 90%",
        ),
        (
            "policy: [{branch_prefix: refs/heads/}]",
            "policy.0.branch_prefix: git puts refs/heads/ before a branch's name itself; write for example "
            "freshness/",
        ),
        (
            RULE % "keyless: {trusted_root: /r, issuer: '', identities: [a]}",
            "trust.rules.0.keyless.issuer: empty; write a value, or leave the key out",
        ),
        (
            RULE % "keyless: {trusted_root: /r, issuer: i, identities: ['']}",
            "trust.rules.0.keyless.identities.0: expected a name, found an empty one",
        ),
        (RULE % "key: ' '", "trust.rules.0.key: empty; write a value, or leave the key out"),
        ("gate: {max_age: 0s}", "gate.max_age: write at least 1s"),
        (
            "policy: [{auto_merge: {method: never, causes: [os-update]}}]",
            "policy.0.auto_merge: method: never merges nothing, so causes and min_severity have no effect; leave "
            "them out",
        ),
        (
            "policy: [{steps: [{name: a, workflow: a.yml, start: observe, inputs: {a: b}}]}]",
            "policy.0.steps.0: inputs are sent to what is started; with start: observe leave them out",
        ),
        (
            "gate: {vex: [/a.json]}",
            "gate.vex: no rule asks for anything and no source tells what runs, so vex is not read; leave it out",
        ),
        (
            "policy: [{steps: [{name: a, workflow: a.yml, environment: production}]}]",
            "policy.0.steps.0: environment goes with start: running; leave it out",
        ),
        (
            "policy: [{steps: [{name: a}]}]",
            "policy.0.steps.0: workflow is missing: the file name of what the step runs",
        ),
        (
            "policy: [{steps: [{name: a, start: running}]}]",
            "policy.0.steps.0: start: running needs environment, where the image is to run",
        ),
        (
            "policy: [{steps: [{name: a, workflow: a.yml, start: running, environment: production}]}]",
            "policy.0.steps.0: start: running follows no workflow; leave workflow and repository out",
        ),
        (
            "policy: [{steps: [{name: a, start: running, environment: production}]}]",
            "policy.0.steps.0.environment: no source of running.sources tells what runs in 'production'; add one",
        ),
        (
            "registries: {mcr.microsoft.com: {insecure: true, ca_file: /c}}",
            "registries.mcr.microsoft.com: insecure speaks plain HTTP, where ca_file has no effect; keep one of "
            "them",
        ),
        (
            "registries: {mcr.microsoft.com: {token_host: auth.example}}",
            "registries.mcr.microsoft.com: token_host may be shown the password; it needs username and "
            "password_file beside it",
        ),
        ("limits: {content_per_hour: true}", "limits.content_per_hour: expected a whole number, found true"),
        ("limits: {content_per_hour: 5.0}", "limits.content_per_hour: expected a whole number, found 5.0"),
        (
            "github: {seconds_between_writes: false}",
            "github.seconds_between_writes: expected a number, found false",
        ),
        ("github: {app: {id: 0, private_key_file: /k}}", "github.app.id: expected at least 1"),
    ],
)
def test_harm_is_refused(refused: Refused, text: str, line: str) -> None:
    assert refused(text) == [f"1: {line}"]


@pytest.mark.parametrize(
    ("number", "read_as"),
    [("010", "8"), ("1:30", "90"), ("0x10", "16"), ("1_0", "10"), ("0b11", "3"), ("1.", "1.0")],
)
def test_what_yaml_1_1_alone_takes_for_that_number_is_refused(refused: Refused, number: str, read_as: str) -> None:
    assert refused(f"limits: {{content_per_hour: {number}}}") == [
        f"1: {number} would be read as {read_as}; write a number in decimal, or text in quotes"
    ]


@pytest.mark.parametrize(
    "text",
    [
        "bases: ['bot:hunter22@ghcr.io/x']",
        "registries: {'bot:hunter22@ghcr.io': {}}",
        "registries: {'bot:hunter22@ghcr.io': {user: x}}",
        "mirrors: {'bot:hunter22@mcr.microsoft.com/a/*': 'mcr.microsoft.com/dotnet/*'}",
        "mirrors: {mirror.example/a/*: 'bot:hunter22@mcr.microsoft.com/dotnet/*'}",
        "images: [{match: '*', image: 'bot:hunter22@ghcr.io/x'}]",
        "images: {claimable: ['bot:hunter22@ghcr.io/*']}",
        "trust: {rules: [{match: ['bot:hunter22@ghcr.io/*'], mode: 'off'}]}",
        "bot:hunter22@ghcr.io: {}",
    ],
)
def test_credentials_before_a_name_are_refused_and_not_repeated(refused: Refused, text: str) -> None:
    lines = refused(text)
    assert not [line for line in lines if "hunter22" in line]
    assert [line for line in lines if "credentials" in line or "unknown key" in line]


@pytest.mark.parametrize(
    "text",
    [
        "bases: ['mcr.microsoft.com/dotnet/aspnet:10.0@sha256:0*']",
        "web: {auth: {proxy: {addresses: [10.0.0.0/8], acting: ['*@example.com']}}}",
        RULE
        % "keyless: {trusted_root: /r, issuer: i, identities: ['https://github.com/a/b/.github/workflows/c.yml@refs/x']}",
        "limits: {content_per_hour: 10}\ngithub: {seconds_between_writes: 0.5}",
        "policy: [{labels: ['freshness']}]",
    ],
)
def test_what_does_no_harm_is_taken(tmp_path: Path, text: str) -> None:
    path = tmp_path / "freshness.yaml"
    path.write_text(text)
    assert refusal(path) == []
