"""What a patch shows of secrets beside it: nothing."""

from textwrap import indent

import pytest

from bot.files.audit.auditing import audit
from bot.files.audit.patches import patches
from bot.files.audit.secrets.literals import masked
from tests.growth import LINEAR, growth
from tests.unit.files.audit.patching import TOKEN, known
from tests.unit.files.audit.world import BUILD, DEPLOYMENT, NOW, PUSH, deployment, texts, workflow


@pytest.mark.parametrize(
    "lines", ["environment: {DB_PASSWORD: hunter2}", "environment:\n      - DB=postgres://u:hunter2@db", "x: 1"]
)
def test_a_patch_never_shows_the_value_of_a_secret(lines: str) -> None:
    files = texts({"compose.yaml": f"services:\n  api:\n    image: redis:8\n    {lines}\n"})
    shown = "".join(patches(known(files), audit(files, NOW)).values())
    assert "hunter2" not in shown
    assert "read_only" in shown
    assert ("***" in shown) is (lines != "x: 1")


def test_a_patch_beside_a_secret_in_a_manifest_does_not_show_it_either() -> None:
    files = texts({DEPLOYMENT: deployment("env:\n  - name: DB_PASSWORD\n    value: hunter2")})
    shown = "".join(patches(known(files), audit(files, NOW)).values())
    assert "hunter2" not in shown


@pytest.mark.parametrize(
    "lines",
    [
        "- value: hunter2\n  name: DB_PASSWORD",
        "- {name: DB_PASSWORD, value: hunter2}\n- {name: A, value: b}",
        "- name: DB_PASSWORD  # of the shop\n  value: hunter2",
        "- name: DB_PASSWORD\n  # of the shop\n  value: hunter2",
        "- name: DB_PASSWORD\n  value: 'hunter2''s'",
        '- name: DB_PASSWORD\n  value: "hunter2\\"s"',
        "- name: DB_PASSWORD\n  value: !!str hunter2",
        "- name: DB_PASSWORD\n  value: |-\n    hunter2\n    hunter2",
        "- name: A_PASSWORD\n  value: abc\n- name: B_A_PASSWORD\n  value: abc-hunter2",
        "- {name: A_PASSWORD, value: hunter2}\n- {name: B, value: b}\n- {value: 'hunter2''s', name: B_PASSWORD}",
    ],
)
def test_no_patch_of_a_manifest_shows_a_secret_however_it_is_written(lines: str) -> None:
    files = texts({DEPLOYMENT: deployment("env:\n" + indent(lines, "  "))})
    shown = "".join(patches(known(files), audit(files, NOW)).values())
    assert "hunter2" not in shown
    assert "***" in shown


@pytest.mark.parametrize(
    "lines",
    [
        "DB_PASSWORD: 'hunter2''s'",
        "DB_PASSWORD: >-\n        hunter2\n        hunter2",
        "DB_PASSWORD: !!str hunter2",
        "{A_PASSWORD: 'hunter2''s', B_PASSWORD: 'hunter2''t'}",
        "- 'DB_PASSWORD=hunter2''s'",
    ],
)
def test_no_patch_of_a_compose_file_shows_a_secret_however_it_is_written(lines: str) -> None:
    environment = f" {lines}" if lines.startswith("{") else f"\n      {lines}"
    files = texts({"compose.yaml": f"services:\n  api:\n    image: redis:8\n    environment:{environment}\n"})
    shown = "".join(patches(known(files), audit(files, NOW)).values())
    assert "hunter2" not in shown
    assert "***" in shown


def test_no_line_that_a_patch_writes_anew_shows_a_secret_that_it_repeats() -> None:
    container = "{name: api, image: 'contoso/api:1', env: [{value: 'hunter2''s', name: DB_PASSWORD}]}"
    manifest = (
        f"apiVersion: v1\nkind: Pod\nmetadata: {{generateName: api-}}\nspec:\n  containers:\n    - {container}\n"
    )
    files = texts({"deploy/api.yaml": manifest})
    shown = "".join(patches(known(files), audit(files, NOW)).values())
    assert "hunter2" not in shown
    assert "+    - {name: api" in shown


@pytest.mark.parametrize(
    "written",
    [
        workflow(PUSH, job="env:\n  DB_PASSWORD: hunter2"),
        workflow(PUSH, job="services:\n  db:\n    env:\n      DB_PASSWORD: hunter2"),
        workflow(PUSH + "    build-args: |\n      MODE=fast\n      NUGET_TOKEN=hunter2\n"),
        workflow(PUSH + "  env: {DB_PASSWORD: hunter2}\n"),
        workflow(PUSH + "- run: docker run -e DB_PASSWORD=hunter2 ghcr.io/contoso/api:8\n"),
    ],
)
def test_a_patch_beside_a_secret_in_a_workflow_does_not_show_it_either(written: str) -> None:
    files = texts({BUILD: written, "Dockerfile": TOKEN})
    shown = patches(known(files), audit(files, NOW)).values()
    assert "hunter2" not in "".join(shown)


def test_a_patch_beside_a_secret_before_the_first_stage_does_not_show_it_either() -> None:
    written = 'ARG DB_PASSWORD=hunter2\nFROM mcr.microsoft.com/dotnet/aspnet:8.0\nENTRYPOINT ["a"]\n'
    files = texts({"Dockerfile": written})
    shown = patches(known(files), audit(files, NOW)).values()
    assert "hunter2" not in "".join(shown)


@pytest.mark.parametrize(
    "line",
    [
        'ENV DB_PASSWORD="hunter2\\"hunter2"',
        "ENV DB_PASSWORD=hunter2\\ hunter2",
        "ENV DB_PASSWORD=first\\\nhunter2 \\\n  MODE=fast",
        "ENV DB_PASSWORD   some   hunter2",
        "ENV 'DB_PASSWORD'=hunter2",
        'ENV "DB_PASSWORD=hunter2 hunter2"',
        "ARG DB_PASSWORD='it\"s hunter2'",
    ],
)
def test_no_patch_of_a_dockerfile_shows_a_secret_however_it_is_written(line: str) -> None:
    written = f'FROM mcr.microsoft.com/dotnet/aspnet:8.0\n{line}\nENTRYPOINT ["a"]\n'
    files = texts({"Dockerfile": written})
    shown = "".join(patches(known(files), audit(files, NOW)).values())
    assert "USER" in shown
    assert "hunter2" not in shown


@pytest.mark.parametrize(
    "run",
    [
        'docker run -e DB_PASSWORD=first\\"hunter2 contoso/api',
        "docker run -e 'DB_PASSWORD=first hunter2' contoso/api",
        'docker run -e "DB_PASSWORD=first\\$ hunter2" contoso/api',
        'docker run -e "DB_PASSWORD"="first\\" hunter2" contoso/api',
        "|\n    docker run -e DB_PASSWORD=first\\\n    hunter2 contoso/api",
        "|\n    docker run -e 'DB_PASSWORD=first\n    hunter2' contoso/api",
        "|\n    P='first hunter2'\n    docker run -e DB_PASSWORD=\"$P\" contoso/api",
    ],
)
def test_no_patch_beside_a_command_shows_a_secret_however_it_is_written(run: str) -> None:
    files = texts({BUILD: workflow(f"- run: {run}\n{PUSH.lstrip()}"), "Dockerfile": TOKEN})
    shown = "".join(patches(known(files), audit(files, NOW)).values())
    assert "cosign sign" in shown
    assert "hunter2" not in shown


@pytest.mark.parametrize("level", ["top", "job", "step"])
def test_no_patch_shows_a_variable_that_a_command_hands_on_as_a_secret(level: str) -> None:
    env = "env: {OF_SHOP: hunter2}"
    run = "- run: docker run -e DB_PASSWORD=$OF_SHOP contoso/api\n" + (f"  {env}\n" if level == "step" else "")
    around = {level: env} if level != "step" else {}
    files = texts({BUILD: workflow(f"{run}{PUSH.lstrip()}", **around), "Dockerfile": TOKEN})
    shown = "".join(patches(known(files), audit(files, NOW)).values())
    assert "cosign sign" in shown
    assert "hunter2" not in shown


@pytest.mark.parametrize(
    "line",
    [
        "RUN dotnet nuget add source -u shop -p hunter2 feed",
        "RUN export DB_PASSWORD='a hunter2' && make",
        'RUN curl -H "Authorization: Bearer hunter2" contoso',
        "LABEL token=hunter2",
        "ONBUILD ENV DB_PASSWORD=hunter2",
        "HEALTHCHECK CMD curl http://shop:hunter2@localhost/",
        'CMD ["shop", "--password", "hunter2"]',
        "RUN shop --api-key hunter2",
        "RUN shop --db-password=hunter2",
    ],
)
def test_no_patch_shows_a_secret_that_stands_in_a_command_beside_it(line: str) -> None:
    files = texts({"Dockerfile": f'FROM mcr.microsoft.com/dotnet/aspnet:8.0\n{line}\nENTRYPOINT ["a"]\n'})
    shown = "".join(patches(known(files), audit(files, NOW)).values())
    assert "+USER $APP_UID" in shown
    assert "hunter2" not in shown
    assert "***" in shown


def test_lines_that_hold_no_secret_are_shown_as_they_are() -> None:
    line = "RUN --mount=type=secret,id=TOKEN,env=TOKEN x --secret id=TOKEN -p 80:80 --token-file a API_KEY=$KEY"
    files = texts({"Dockerfile": f'FROM mcr.microsoft.com/dotnet/aspnet:8.0\n{line}\nENTRYPOINT ["a"]\n'})
    assert line in "".join(patches(known(files), audit(files, NOW)).values())


@pytest.mark.parametrize("unit", ["--a-", "-a ", '"', "login -p ", "://a:", "nuget ", "a\\"])
def test_secrets_beside_a_patch_are_looked_for_in_time_in_proportion(unit: str) -> None:
    repository = known({}).repository
    assert growth(lambda size: masked(repository, "a", f" {unit * (size // len(unit))}\n"), 8_000) < LINEAR


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ("dotnet nuget add source -p $A --store-password-in-clear-text --name shop https://a", "text --name shop"),
        ("dotnet nuget add source -p $A --store-password-in-clear-text https://a", "clear-text https://a"),
        ("nuget sources add -StorePasswordInClearText https://a", "ClearText https://a"),
        ("docker login --password-stdin ghcr.io", "--password-stdin ghcr.io"),
        ('["login", "--password", "--verbose"]', '"--password", "--verbose"'),
        ("curl --password hunter2 --name shop", "--password *** --name shop"),
        ("curl --password=-hunter2 --name shop", "--password=*** --name shop"),
    ],
)
def test_an_option_that_is_given_no_secret_hides_nothing_of_what_follows(line: str, shown: str) -> None:
    diff = masked(known(texts({"a": "x"})).repository, "a", f" RUN {line}\n-RUN {line}\n+RUN {line}\n")
    assert diff is not None
    assert diff.count(shown) == 3
