"""What an image or a workload starts: a script, or another program than a stock image's own, may need more."""

import pytest

from bot.domain.repositories.finding import Finding, Fix, Outcome
from tests.unit.files.audit.world import DEPLOYMENT, deployment, findings

ASPNET = "mcr.microsoft.com/dotnet/aspnet:10.0"
SERVICE = "services:\n  api:\n    build: .\n"
NGINX = "services:\n  web:\n    image: nginx:1.30\n"
CHECKS = ("run-as-non-root", "no-privilege-escalation", "drop-all-capabilities", "read-only-root")


def only(check: str, files: dict[str, str]) -> tuple[Finding, Fix]:
    (found,) = findings(check, files)
    assert found.fix is not None
    return found, found.fix


@pytest.mark.parametrize(
    ("start", "command"),
    [
        ('ENTRYPOINT ["/start.sh"]', ""),
        ('CMD ["sh", "-c", "envsubst < a > b && dotnet a.dll"]', ""),
        ('ENTRYPOINT ["dotnet", "a.dll"]', "    entrypoint: /app/run.sh\n"),
        ('ENTRYPOINT ["dotnet", "a.dll"]', "    command: [bash, -c, x]\n"),
    ],
)
@pytest.mark.parametrize("check", CHECKS)
def test_what_a_script_needs_is_tried(check: str, start: str, command: str) -> None:
    files = {"compose.yaml": SERVICE + command, "Dockerfile": f"FROM {ASPNET}\nCOPY . /app\n{start}\n"}
    _, fix = only(check, files)
    assert fix.advice.startswith("try to ")
    assert fix.suggested == ()


@pytest.mark.parametrize(
    "start", ['ENTRYPOINT ["dotnet", "a.dll"]', "CMD dotnet a.dll", 'ENTRYPOINT ["./Shell"]', ""]
)
@pytest.mark.parametrize("check", CHECKS)
def test_a_program_of_dotnet_alone_is_known(check: str, start: str) -> None:
    _, fix = only(check, {"compose.yaml": SERVICE, "Dockerfile": f"FROM {ASPNET}\nCOPY . /app\n{start}\n"})
    assert not fix.advice.startswith("try to ")
    assert fix.suggested


@pytest.mark.parametrize("start", ['exec su -s /bin/sh app -c "exec dotnet a.dll"', "su app -c ./api"])
def test_an_entrypoint_that_becomes_another_user_by_su_drops_its_rights(start: str) -> None:
    files = {
        "Dockerfile": f'FROM {ASPNET}\nCOPY start.sh /\nENTRYPOINT ["/start.sh"]\n',
        "start.sh": f"set -e\n{start}\n",
    }
    (found,) = findings("image-user", files)
    assert (found.outcome, "seems to drop the rights" in found.message) == (Outcome.UNKNOWN, True)


def test_a_user_is_tried_where_the_image_starts_a_script() -> None:
    text = f'FROM {ASPNET}\nCOPY --chmod=700 run.sh /app/\nENTRYPOINT ["/app/run.sh"]\n'
    _, fix = only("image-user", {"Dockerfile": text})
    assert fix.advice.startswith("try to add USER $APP_UID")
    assert fix.suggested == ()


@pytest.mark.parametrize("line", ["COPY nginx.conf /etc/nginx/nginx.conf", 'ENTRYPOINT ["/start.sh"]'])
def test_another_image_is_tried_where_this_one_is_configured_or_started_otherwise(line: str) -> None:
    _, fix = only("image-user", {"Dockerfile": f"FROM nginx:1.30\nCOPY dist /usr/share/nginx/html\n{line}\n"})
    assert fix.advice.startswith("try to take nginxinc/nginx-unprivileged")


@pytest.mark.parametrize(
    "lines",
    [
        "    command: [sh, -c, 'envsubst < a > /usr/share/nginx/html/index.html && nginx']\n",
        "    volumes: ['./default.conf.template:/etc/nginx/templates/default.conf.template:ro']\n",
    ],
)
def test_where_a_stock_image_writes_is_known_of_its_own_start_alone(lines: str) -> None:
    _, fix = only("read-only-root", {"compose.yaml": NGINX + lines})
    assert fix.advice.startswith("try to ")
    assert fix.suggested == ()
    _, fix = only("read-only-root", {"compose.yaml": NGINX})
    assert fix.suggested


@pytest.mark.parametrize(
    "files",
    [
        {"Dockerfile": f"FROM {ASPNET}\nRUN mkdir -p /app/logs && chown 1654 /app/logs\n"},
        {"Dockerfile": f"FROM {ASPNET}\nVOLUME /data\n"},
        {
            "Dockerfile": f"FROM {ASPNET}\n",
            "src/A.csproj": '<PackageReference Include="Microsoft.EntityFrameworkCore.Sqlite" />',
        },
    ],
)
def test_a_program_that_shows_that_it_writes_is_not_known_by_its_base(files: dict[str, str]) -> None:
    _, fix = only("read-only-root", {"compose.yaml": SERVICE, **files})
    assert fix.advice.startswith("try to ")
    assert "other folders that it writes" in fix.advice
    assert fix.suggested == ()


@pytest.mark.parametrize(
    ("lines", "image", "is_kept"),
    [
        ("ports: [{containerPort: 80}]", ASPNET, True),
        ("ports: [{containerPort: 8080}]", ASPNET, False),
        ("", "mcr.microsoft.com/dotnet/aspnet:6.0", True),
        ("ports: [{containerPort: 80}]\nsecurityContext: {runAsUser: 1654}", ASPNET, False),
    ],
)
def test_root_keeps_the_right_to_listen_on_a_low_port(lines: str, image: str, *, is_kept: bool) -> None:
    _, fix = only("drop-all-capabilities", {DEPLOYMENT: deployment(lines, image=image)})
    assert ("add: [NET_BIND_SERVICE]" in fix.advice) is is_kept
    assert all(("NET_BIND_SERVICE" in each.text) is is_kept for each in fix.suggested)


@pytest.mark.parametrize("lines", ["    user: '0:0'\n", "    volumes: ['./data:/data']\n"])
def test_what_is_bound_to_root_loses_its_rights_once_it_is_another_user(lines: str) -> None:
    files = {"compose.yaml": SERVICE + lines, "Dockerfile": f"FROM {ASPNET}\nUSER root\n"}
    assert "once it runs as another user" in only("drop-all-capabilities", files)[1].advice


def test_what_its_image_starts_as_a_user_loses_its_rights_whatever_it_mounts() -> None:
    files = {
        "compose.yaml": SERVICE + "    volumes: ['./data:/data']\n",
        "Dockerfile": f"FROM {ASPNET}\nUSER 1654\n",
    }
    assert only("drop-all-capabilities", files)[1].advice == "add cap_drop: [ALL]"


@pytest.mark.parametrize(
    ("image", "uid"), [("prom/prometheus:v3.5.0", "65534"), ("mcr.microsoft.com/mssql/server:2022-latest", "10001")]
)
def test_an_image_that_names_its_user_by_a_word_is_given_the_number(image: str, uid: str) -> None:
    _, fix = only("run-as-non-root", {DEPLOYMENT: deployment(image=image)})
    assert f"runAsUser: {uid}" in "".join(each.text for each in fix.suggested)


def test_no_patch_asks_for_what_the_kubelet_cannot_verify() -> None:
    files = {
        DEPLOYMENT: deployment(image="contoso/api"),
        "compose.yaml": "services:\n  api:\n    image: contoso/api\n    build: .\n",
        "Dockerfile": f"FROM {ASPNET}\nUSER app\n",
    }
    (found,) = (each for each in findings("run-as-non-root", files) if each.place.path == DEPLOYMENT)
    assert found.fix is not None
    assert all("runAsNonRoot" not in each.text for each in found.fix.suggested)
