"""Compose files that are read together: what Compose reads by itself, what may be named, and parts of services."""

import pytest

from bot.domain.repositories.finding import Outcome
from tests.unit.files.audit.world import findings, outcome, outcomes

HOLDS, FAILS, UNKNOWN = Outcome.HOLDS, Outcome.FAILS, Outcome.UNKNOWN
BASE = """
services:
  shop:
    image: contoso/shop:1
    user: '1654'
    read_only: true
    tmpfs: [/tmp]
    cap_drop: [ALL]
    security_opt: [no-new-privileges:true]
"""
WORSE = [
    ("not-privileged", "privileged: true"),
    ("no-host-namespaces", "pid: host"),
    ("no-host-namespaces", "network_mode: host"),
    ("no-engine-socket", "volumes: ['/run/docker.sock:/run/docker.sock']"),
    ("no-host-paths", "volumes: ['/etc:/outer/etc']"),
    ("no-added-capabilities", "cap_add: [SYS_ADMIN]"),
    ("seccomp-profile", "security_opt: [seccomp:unconfined]"),
    ("run-as-non-root", "user: root"),
]


def over(line: str) -> str:
    return f"services:\n  shop:\n    {line}\n"


@pytest.mark.parametrize(("check", "line"), [*WORSE, ("read-only-root", "read_only: false")])
@pytest.mark.parametrize(
    ("base", "beside"),
    [
        ("docker-compose.yml", "docker-compose.override.yml"),
        ("compose.yaml", "compose.override.yaml"),
        ("run/docker-compose.yaml", "run/compose.override.yml"),
    ],
)
def test_what_compose_reads_by_itself_counts(check: str, line: str, base: str, beside: str) -> None:
    assert outcome(check, {base: BASE}) is HOLDS
    (found,) = findings(check, {base: BASE, beside: over(line)})
    assert (found.outcome, found.subject) == (FAILS, "service shop")


@pytest.mark.parametrize(("check", "line"), WORSE)
def test_what_may_be_named_beside_a_file_leaves_the_claim_unknown(check: str, line: str) -> None:
    (found,) = findings(check, {"shop.yml": BASE, "shop.override.yml": over(line)})
    assert found.outcome is UNKNOWN
    assert "shop.override.yml" in found.message


@pytest.mark.parametrize(("check", "line"), WORSE)
def test_an_override_of_another_service_or_folder_changes_nothing(check: str, line: str) -> None:
    other = over(line).replace("shop:", "till:")
    assert outcome(check, {"compose.yaml": BASE, "compose.override.yaml": other}) is HOLDS
    assert outcome(check, {"compose.yaml": BASE, "other/compose.override.yaml": over(line)}) is HOLDS


@pytest.mark.parametrize(("check", "line"), WORSE)
def test_a_part_of_a_service_is_asked_what_it_sets(check: str, line: str) -> None:
    (found,) = findings(check, {"compose.large.yaml": over(line)})
    assert (found.outcome, found.place.path) == (FAILS, "compose.large.yaml")


@pytest.mark.parametrize("check", [*dict.fromkeys(check for check, _ in WORSE), "read-only-root"])
def test_a_part_of_a_service_is_not_asked_what_it_leaves_to_the_whole(check: str) -> None:
    assert outcomes(check, {"compose.large.yaml": over("ports: ['80:8080']")}) == []


def test_a_privileged_service_is_not_asked_to_gain_no_rights() -> None:
    privileged = "services: {agent: {image: 'contoso/agent:1', privileged: true}}\n"
    assert outcome("no-privilege-escalation", {"compose.yaml": privileged}) is Outcome.NOT_APPLICABLE


@pytest.mark.parametrize("variable", ["Db: 'Host=db;Password=hunter2'", "DB_PASSWORD: hunter2"])
def test_a_secret_in_a_part_of_a_service_is_told(variable: str) -> None:
    files = {
        "compose.yml": "services: {api: {image: contoso/api}}",
        "compose.postgres.yml": f"services: {{api: {{environment: {{{variable}}}}}}}",
    }
    found = findings("runtime-secrets", files)
    assert [(each.outcome, each.place.path) for each in found if each.outcome is Outcome.FAILS] == [
        (Outcome.FAILS, "compose.postgres.yml")
    ]


@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        ("WHO=root\n", Outcome.FAILS),
        ('WHO="1654"\n', Outcome.HOLDS),
        ("WHO=$OTHER\n", Outcome.UNKNOWN),
        ("OTHER=root\n", Outcome.UNKNOWN),
    ],
)
def test_the_file_of_variables_beside_counts(variables: str, expected: Outcome) -> None:
    files = {"run/compose.yaml": "services: {api: {image: contoso/api, user: '${WHO}'}}", "run/.env": variables}
    (found,) = findings("run-as-non-root", files)
    assert found.outcome is expected


def test_the_image_that_the_file_of_variables_names_is_known() -> None:
    files = {"compose.yaml": "services: {db: {image: '${DB}'}}", ".env": "DB=redis:8\n"}
    (found,) = findings("run-as-non-root", files)
    assert "becomes UID 999" in found.message


@pytest.mark.parametrize(
    ("names", "is_read"),
    [
        (("docker-compose.yml", "docker-compose.override.yml"), True),
        (("docker-compose.yaml", "docker-compose.override.yml"), True),
        (("docker-compose.yaml", "docker-compose.override.yml", "docker-compose.yml"), False),
        (("compose.yml", "compose.override.yaml", "compose.yaml"), False),
    ],
)
def test_an_override_is_read_over_the_file_that_compose_finds(names: tuple[str, ...], *, is_read: bool) -> None:
    path, override, *first = names
    files = {
        path: "services: {api: {image: contoso/api}}\n",
        override: "services: {api: {privileged: true}}\n",
        **dict.fromkeys(first, "services: {web: {image: contoso/web}}\n"),
    }
    (found,) = (each for each in findings("not-privileged", files) if each.subject == "service api")
    assert (found.outcome is Outcome.FAILS) is is_read


PLAIN = "services:\n  shop:\n    image: contoso/shop:1\n"
RIGHT = over("read_only: true\n    tmpfs: [/tmp]")
BOTH = {"compose.yaml": PLAIN, "compose.prod.yaml": RIGHT}


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("deploy.sh", "docker compose -f compose.yaml -f compose.prod.yaml up -d\n"),
        ("deploy.sh", "docker-compose --file=compose.yaml --file=./compose.prod.yaml \\\n  -p shop up -d\n"),
        ("ops/deploy.sh", "cd .. && docker compose -f compose.yaml -f compose.prod.yaml up\n"),
        ("ops/deploy.sh", "docker compose -f ../compose.yaml -f ../compose.prod.yaml up\n"),
        ("Makefile", "up:\n\tdocker compose -f compose.yaml -f compose.prod.yaml up -d\n"),
        ("README.md", "    docker compose -f compose.yaml -f compose.prod.yaml up -d\n"),
        (".env", "COMPOSE_FILE=compose.yaml:compose.prod.yaml\n"),
        ("deploy.ps1", "$env:COMPOSE_FILE = 'compose.yaml;compose.prod.yaml'\n"),
        (".github/workflows/a.yml", "on: push\nenv: {COMPOSE_FILE: 'compose.yaml:compose.prod.yaml'}\n"),
    ],
)
def test_what_a_command_names_together_is_judged_together(path: str, text: str) -> None:
    assert outcomes("read-only-root", BOTH) == [FAILS]
    assert outcomes("read-only-root", {**BOTH, path: text}) == [HOLDS]


def test_the_later_file_of_a_command_wins() -> None:
    files = {
        "compose.yaml": BASE,
        "compose.prod.yaml": over("user: root"),
        "compose.own.yaml": over("user: '1654'"),
    }
    command = "docker compose -f compose.yaml -f {} -f {} up\n"
    first, last = "compose.prod.yaml", "compose.own.yaml"
    assert outcome("run-as-non-root", {**files, "up.sh": command.format(first, last)}) is HOLDS
    assert FAILS in outcomes("run-as-non-root", {**files, "up.sh": command.format(last, first)})


def test_what_fails_in_one_of_several_sets_fails() -> None:
    bad = {"compose.yaml": BASE, "compose.prod.yaml": over("privileged: true"), "compose.b.yaml": over("tty: true")}
    commands = "docker compose -f compose.yaml -f compose.b.yaml up\n"
    commands += "docker compose -f compose.yaml -f compose.prod.yaml up\n"
    (found,) = findings("not-privileged", {**bad, "up.sh": commands})
    assert (found.outcome, found.message) == (FAILS, "with compose.prod.yaml: it is privileged")


def test_a_file_that_is_named_alone_as_well_is_judged_alone() -> None:
    commands = "docker compose -f compose.yaml -f compose.prod.yaml up\ndocker compose up\n"
    assert outcomes("read-only-root", {**BOTH, "up.sh": commands}) == [FAILS]


def test_a_service_with_an_image_in_a_later_file_is_judged_once() -> None:
    whole = "services:\n  shop:\n    image: contoso/shop:2\n    environment: {DB_PASSWORD: hunter2}\n"
    files = {"compose.yaml": BASE, "compose.prod.yaml": whole}
    up = {"up.sh": "docker compose -f compose.yaml -f compose.prod.yaml up\n"}
    assert sorted(outcomes("read-only-root", files)) == [FAILS, HOLDS]
    assert outcomes("read-only-root", {**files, **up}) == [HOLDS]
    assert FAILS in outcomes("runtime-secrets", {**files, **up})


CARRIER = {
    "Dockerfile": "FROM scratch\nCOPY out /\n",
    "compose.yaml": "services:\n  shop:\n    build: .\n",
}
STARTED = "services:\n  shop:\n    command: /out/run\n    privileged: true\n"


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({}, Outcome.NOT_APPLICABLE),
        ({"compose.override.yaml": STARTED}, FAILS),
        (
            {"compose.live.yaml": STARTED, "run.sh": "docker compose -f compose.yaml -f compose.live.yaml up\n"},
            FAILS,
        ),
    ],
)
def test_an_image_of_files_alone_is_asked_where_another_file_has_it_start_something(
    files: dict[str, str], expected: Outcome
) -> None:
    assert outcome("not-privileged", {**CARRIER, **files}) is expected


def test_a_program_that_compose_starts_in_an_image_of_files_runs_as_root() -> None:
    started = CARRIER["compose.yaml"] + "    entrypoint: /out/run\n"
    assert outcomes("run-as-non-root", CARRIER) == [Outcome.NOT_APPLICABLE]
    assert outcomes("run-as-non-root", {**CARRIER, "compose.yaml": started}) == [FAILS]
