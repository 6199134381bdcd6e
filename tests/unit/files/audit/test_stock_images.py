"""Advice that fits the image: who it can run as, where it writes, and what no volume stands in for."""

import pytest

from bot.domain.repositories.finding import Finding, Outcome
from tests.unit.files.audit.world import BUILD, DEPLOYMENT, PUSH, deployment, findings, workflow

DOTNET = "mcr.microsoft.com/dotnet/aspnet:10.0"


def advice(found: Finding) -> str:
    return found.fix.advice if found.fix is not None else found.settled_by


def of_deployment(check: str, image: str, container: str = "", pod: str = "") -> Finding:
    (found,) = findings(check, {DEPLOYMENT: deployment(container, pod, image)})
    return found


def of_service(check: str, image: str, *lines: str) -> Finding:
    text = "\n".join(["services:", "  app:", f"    image: {image}", *(f"    {line}" for line in lines)]) + "\n"
    (found,) = findings(check, {"compose.yaml": text})
    return found


@pytest.mark.parametrize(
    ("image", "uid"),
    [
        ("postgres:17", "999"),
        ("postgres:17-alpine", "70"),
        ("docker.io/library/redis:8", "999"),
        ("mcr.microsoft.com/mssql/server:2022-latest", "10001"),
        ("quay.io/prometheus/node-exporter:v1.9.0", "65534"),
        (DOTNET, "1654"),
    ],
)
def test_a_container_is_told_the_user_that_its_image_has(image: str, uid: str) -> None:
    assert f"runAsUser: {uid}" in advice(of_deployment("run-as-non-root", image))


@pytest.mark.parametrize(
    "image", ["nginx:1.29", "traefik:v3", "contoso/api:1.0", "debian:13", "redis:8", "mongo:8"]
)
def test_1654_is_advice_for_images_of_dotnet_alone(image: str) -> None:
    for check in ("run-as-non-root", "volume-ownership", "drop-all-capabilities"):
        volume = "volumes: [{name: data, persistentVolumeClaim: {claimName: data}}]"
        mount = "volumeMounts: [{name: data, mountPath: /data}]"
        assert "1654" not in advice(of_deployment(check, image, mount, volume))
        assert check == "volume-ownership" or "1654" not in advice(of_service(check, image))


def test_an_image_that_is_built_here_on_dotnet_is_told_1654() -> None:
    files = {
        DEPLOYMENT: deployment(image="ghcr.io/contoso/api:8"),
        BUILD: workflow(PUSH),
        "Dockerfile": f"FROM {DOTNET}\nUSER root\nCOPY app /app\n",
    }
    (found,) = findings("run-as-non-root", files)
    assert found.fix is not None
    assert "runAsUser: 1654" in found.fix.advice
    assert "runAsUser: 1654" in found.fix.suggested[0].text


@pytest.mark.parametrize(("user", "uid"), [("0", "1654"), ("0:0", "1654"), ("root", "1654")])
def test_an_image_that_is_built_to_run_as_root_is_told_another_user(user: str, uid: str) -> None:
    compose = "services:\n  api:\n    build: .\n"
    for base in (DOTNET, "node:24"):
        files = {"compose.yaml": compose, "Dockerfile": f"FROM {base}\nUSER {user}\nCOPY app /app\n"}
        (found,) = findings("run-as-non-root", files)
        assert found.outcome is Outcome.FAILS
        assert advice(found).startswith(
            f"set user: '{uid}'" if base == DOTNET else "try to set user to a UID above 0"
        )


def test_an_image_that_is_built_to_run_as_root_is_told_another_user_in_a_pod() -> None:
    files = {
        DEPLOYMENT: deployment(image="ghcr.io/contoso/api:8"),
        BUILD: workflow(PUSH),
        "Dockerfile": "FROM node:24\nUSER 0\nCOPY app /app\n",
    }
    (found,) = findings("run-as-non-root", files)
    assert "runAsUser: 0" not in advice(found)


@pytest.mark.parametrize("image", ["contoso/api:1.0", "debian:13"])
def test_advice_for_an_image_starts_it_though_it_names_no_user(image: str) -> None:
    told = advice(of_deployment("run-as-non-root", image))
    assert "runAsUser: a number above 0" in told
    assert "names one by number" in told


@pytest.mark.parametrize(
    ("image", "expected"), [("redis:3.2-alpine", ""), ("redis:4-alpine3.11", ""), ("redis:8-alpine", "999")]
)
def test_old_images_had_another_user(image: str, expected: str) -> None:
    found = of_service("run-as-non-root", image)
    assert found.outcome is Outcome.UNKNOWN
    assert ("999" in found.message) is bool(expected)


@pytest.mark.parametrize(
    ("image", "outcome"),
    [
        ("docker.elastic.co/elasticsearch/elasticsearch:7.17.9", Outcome.UNKNOWN),
        ("docker.elastic.co/elasticsearch/elasticsearch:9.1.0", Outcome.HOLDS),
        ("docker.elastic.co/elasticsearch/elasticsearch", Outcome.HOLDS),
    ],
)
def test_an_image_is_known_by_what_it_does_today(image: str, outcome: Outcome) -> None:
    assert of_service("run-as-non-root", image).outcome is outcome


@pytest.mark.parametrize("image", ["postgres:17", "nginx:1.29", "debian:13"])
def test_no_patch_has_the_kubelet_refuse_an_image_that_starts_as_root(image: str) -> None:
    found = of_deployment("run-as-non-root", image)
    assert found.fix is not None
    assert not found.fix.suggested
    assert found.fix.left_alone


def test_a_service_of_a_stock_image_is_told_its_user() -> None:
    found = of_service("run-as-non-root", "postgres:17")
    assert found.outcome is Outcome.UNKNOWN
    assert "becomes UID 999" in found.message
    assert found.settled_by == "user: '999'"
    assert of_service("run-as-non-root", "prom/prometheus").outcome is Outcome.HOLDS
    assert "nginx-unprivileged" in advice(of_service("run-as-non-root", "nginx:1.29"))


def test_an_image_that_becomes_its_user_keeps_the_rights_for_that() -> None:
    for found in (
        of_deployment("drop-all-capabilities", "postgres:17"),
        of_service("drop-all-capabilities", "mysql:9"),
    ):
        assert found.fix is not None
        assert "UID 999" in found.fix.advice
        assert not found.fix.suggested
    found = of_service("drop-all-capabilities", "postgres:17", "user: '999'")
    assert found.fix is not None
    assert found.fix.suggested


def test_a_stock_image_keeps_the_folders_that_it_writes_in() -> None:
    assert "/var/run/postgresql" in advice(of_deployment("read-only-root", "postgres:17"))
    service = of_service("read-only-root", "nginx:1.29")
    assert service.fix is not None
    assert "tmpfs: [/tmp, /var/cache/nginx, /var/run]" in "".join(edit.text for edit in service.fix.suggested)
    words = of_service("read-only-root", "mongo:8")
    assert words.fix is not None
    assert not words.fix.suggested


OTHERS = "other folders that it writes"


@pytest.mark.parametrize(
    ("image", "is_known"),
    [(DOTNET, True), ("contoso/api:1.0", False), ("redis:8", True), ("contoso/api:${TAG}", False)],
)
def test_what_is_not_known_may_write_in_other_folders_and_need_rights_as_root(image: str, is_known: bool) -> None:
    for found in (of_deployment("read-only-root", image), of_service("read-only-root", image)):
        assert (OTHERS in advice(found)) is not is_known
    if image != "redis:8":
        for found in (of_deployment("drop-all-capabilities", image), of_service("drop-all-capabilities", image)):
            assert ("once it runs as another user" in advice(found)) is not is_known
    for found in (
        of_deployment("drop-all-capabilities", image, "securityContext: {runAsUser: 1000}"),
        of_service("drop-all-capabilities", image, "user: '1000'"),
    ):
        assert "once it runs" not in advice(found)


@pytest.mark.parametrize(
    "image",
    [
        "docker.elastic.co/elasticsearch/elasticsearch:${STACK_VERSION}",
        "docker.elastic.co/logstash/logstash:9.1.0",
        "docker.elastic.co/kibana/kibana:${STACK_VERSION:-9.1.0}",
        "grafana/loki:3.5.0",
        "grafana/grafana:${GRAFANA_VERSION}",
        "mongo:<tag>",
    ],
)
def test_a_stock_image_is_known_by_its_name_whatever_its_tag(image: str) -> None:
    for found in (of_deployment("read-only-root", image), of_service("read-only-root", image)):
        assert found.fix is not None
        assert "that the image's documentation names" in found.fix.advice
        assert (found.fix.edits, found.fix.suggested) == ((), ())


def test_where_the_variant_is_not_told_both_users_are() -> None:
    found = of_deployment("run-as-non-root", "postgres:${TAG}")
    assert "UID 999, or 70 on Alpine" in advice(found)
    assert "999, or 70" in advice(of_service("drop-all-capabilities", "postgres:${TAG}"))


@pytest.mark.parametrize(
    ("dockerfile", "script", "needs_rights"),
    [
        (
            f'FROM {DOTNET}\nCOPY start.sh /\nENTRYPOINT ["/start.sh"]\n',
            "chown -R app /data\nexec dotnet a.dll",
            True,
        ),
        ('FROM debian:13\nCOPY start.sh /\nENTRYPOINT ["/start.sh"]\n', "exec gosu app ./api", True),
        (f'FROM {DOTNET}\nCOPY start.sh /\nENTRYPOINT ["/start.sh"]\n', "chmod 770 /data\nexec dotnet a.dll", True),
        (f'FROM {DOTNET}\nCOPY start.sh /\nENTRYPOINT ["/start.sh"]\n', "chmod +x a.dll\nexec dotnet a.dll", False),
        (f'FROM {DOTNET}\nENTRYPOINT ["chown", "app", "/data"]\n', "", True),
        (f'FROM {DOTNET}\nCOPY start.sh /\nENTRYPOINT ["/start.sh"]\n', "exec dotnet a.dll", False),
        (f'FROM {DOTNET}\nUSER 1654\nCOPY start.sh /\nENTRYPOINT ["/start.sh"]\n', "chown app /data", False),
    ],
)
def test_an_image_whose_start_changes_owners_or_users_keeps_the_rights_for_that(
    dockerfile: str, script: str, needs_rights: bool
) -> None:
    built = {"Dockerfile": dockerfile, "start.sh": script}
    (service,) = findings("drop-all-capabilities", {**built, "compose.yaml": "services:\n  api:\n    build: .\n"})
    pushed = {**built, DEPLOYMENT: deployment(image="ghcr.io/contoso/api:8"), BUILD: workflow(PUSH)}
    (container,) = findings("drop-all-capabilities", pushed)
    for found in (service, container):
        assert found.fix is not None
        assert found.fix.suggested == ()
        assert ("once it runs as another user" in found.fix.advice) is needs_rights


@pytest.mark.parametrize("path", ["/sys", "/proc", "/dev", "/run/app.sock", "/var/run/ctl.sock"])
def test_no_volume_stands_in_for_what_the_kernel_or_a_program_gives(path: str) -> None:
    pod = of_deployment(
        "no-host-paths", "contoso/api:1", "", f"volumes: [{{name: host, hostPath: {{path: {path}}}}}]"
    )
    assert pod.outcome is Outcome.FAILS
    assert "volume" not in advice(pod)
    service = of_service("no-host-paths", "contoso/api:1", f"volumes: ['{path}:/host:ro']")
    assert "volume" not in advice(service)


def test_what_runs_on_each_node_is_there_for_the_node() -> None:
    agent = deployment(pod="volumes: [{name: host, hostPath: {path: /var/log}}]").replace("Deployment", "DaemonSet")
    (found,) = findings("no-host-paths", {DEPLOYMENT: agent})
    assert found.outcome is Outcome.FAILS
    assert "volume claim" not in advice(found)
    assert "waive the check" in advice(found)


def test_data_of_a_program_belongs_on_a_volume() -> None:
    pod = of_deployment("no-host-paths", "contoso/api:1", "", "volumes: [{name: host, hostPath: {path: /data}}]")
    assert advice(pod) == "use a persistent volume claim"


@pytest.mark.parametrize(
    ("tag", "outcome"), [("7.17.28", Outcome.UNKNOWN), ("8.19.15", Outcome.HOLDS), ("9.1.0", Outcome.HOLDS)]
)
def test_the_user_of_elasticsearch_is_that_of_its_version(tag: str, outcome: Outcome) -> None:
    found = of_service("run-as-non-root", f"docker.elastic.co/elasticsearch/elasticsearch:{tag}")
    assert found.outcome is outcome


MSSQL = "mcr.microsoft.com/mssql/server:2022-latest"


@pytest.mark.parametrize("image", [MSSQL, "caddy:2", "docker.io/library/caddy:2-alpine", "dpage/pgadmin4"])
def test_a_program_whose_file_carries_a_capability_keeps_that_one(image: str) -> None:
    for found in (
        of_deployment("drop-all-capabilities", image, "securityContext: {runAsUser: 1000}"),
        of_deployment("drop-all-capabilities", image),
        of_service("drop-all-capabilities", image),
        of_service("drop-all-capabilities", image, "user: '1000'"),
    ):
        assert "NET_BIND_SERVICE" in advice(found)
        assert found.fix is not None
        suggested = "".join(edit.text for edit in found.fix.suggested)
        assert "NET_BIND_SERVICE" in suggested or not suggested


PGADMIN = "dpage/pgadmin4:9"


@pytest.mark.parametrize("image", [PGADMIN, "docker.io/dpage/pgadmin4"])
def test_a_program_that_its_file_lets_listen_on_a_low_port_gets_another_one_before_it_gains_no_rights(
    image: str,
) -> None:
    for found in (of_deployment("no-privilege-escalation", image), of_service("no-privilege-escalation", image)):
        assert found.fix is not None
        assert "PGADMIN_LISTEN_PORT" in found.fix.advice
        assert found.fix.suggested == found.fix.edits == ()


def test_a_program_that_is_given_its_port_keeps_to_it() -> None:
    set_port = "environment: [PGADMIN_LISTEN_PORT=8080]"
    env = "env: [{name: PGADMIN_LISTEN_PORT, value: '8080'}]"
    for found in (
        of_service("no-privilege-escalation", PGADMIN, set_port),
        of_deployment("no-privilege-escalation", PGADMIN, env),
    ):
        assert found.fix is not None
        assert "PGADMIN_LISTEN_PORT" not in found.fix.advice
        assert found.fix.edits or found.fix.suggested


def test_a_patch_keeps_the_capability_that_a_program_needs_to_start() -> None:
    for found in (of_deployment("drop-all-capabilities", MSSQL), of_service("drop-all-capabilities", MSSQL)):
        assert found.fix is not None
        suggested = "".join(edit.text for edit in found.fix.suggested)
        assert "ALL" in suggested
        assert "NET_BIND_SERVICE" in suggested
    found = of_service("drop-all-capabilities", MSSQL, "cap_add: [NET_BIND_SERVICE]")
    assert found.fix is not None
    assert "cap_add" not in "".join(edit.text for edit in found.fix.suggested)


def test_an_image_that_is_built_on_such_a_program_keeps_the_capability_too() -> None:
    files = {"compose.yaml": "services:\n  db:\n    build: .\n", "Dockerfile": f"FROM {MSSQL}\nCOPY init.sql /\n"}
    (found,) = findings("drop-all-capabilities", files)
    assert found.fix is not None
    assert "cap_add: [NET_BIND_SERVICE]" in "".join(edit.text for edit in found.fix.suggested)


@pytest.mark.parametrize(
    ("mount", "is_data"),
    [
        ("/etc/shop/mongo/db:/data/db", True),
        ("/etc/shop/caddy:/data:rw", True),
        ("/etc/shop/caddy:/etc/caddy", False),
        ("/etc/shop/keys:/keys:ro", False),
        ("/etc/passwd:/passwd", False),
    ],
)
def test_a_database_below_etc_goes_to_a_volume_and_is_not_lost(mount: str, is_data: bool) -> None:
    source, target, *options = mount.split(":")
    service = of_service("no-host-paths", "contoso/db:1", f"volumes: ['{mount}']")
    pod = of_deployment(
        "no-host-paths",
        "contoso/db:1",
        f"volumeMounts: [{{name: d, mountPath: {target}, readOnly: {str('ro' in options).lower()}}}]",
        f"volumes: [{{name: d, hostPath: {{path: {source}}}}}]",
    )
    for found in (service, pod):
        assert ("copy there what the folder holds" in advice(found)) is is_data
        assert advice(found).startswith("remove the mount") is not is_data


@pytest.mark.parametrize(
    ("volumes", "is_told"),
    [("['./data:/app/data']", True), ("['data:/app/data']", True), ("['./a.json:/app/a.json:ro']", False)],
)
def test_another_user_must_own_what_a_service_writes_on_its_mounts(volumes: str, is_told: bool) -> None:
    found = of_service("run-as-non-root", DOTNET, f"volumes: {volumes}")
    assert found.fix is not None
    assert found.fix.suggested
    assert ("must belong to that one" in found.fix.advice) is is_told


@pytest.mark.parametrize(
    ("image", "started", "stays_root"),
    [
        ("redis:8", "command: redis-cli -h redis MONITOR", True),
        ("redis:8", "command: [/bin/sh, -c, redis-server]", True),
        ("redis:8", "command: redis-server --appendonly yes", False),
        ("redis:8", "command: --appendonly yes", False),
        ("redis:8", "command: /etc/redis.conf", False),
        ("redis:8", "command: $COMMAND", False),
        ("mongo:8", "command: [/bin/bash, -lc, mongosh]", True),
        ("mongo:8", "command: mongod --replSet rs0", False),
        ("postgres:17", "entrypoint: [/backup.sh]", True),
        ("postgres:17", "entrypoint: [docker-entrypoint.sh]", False),
        ("postgres:17", "command: postgres -c max_connections=9", False),
        ("mariadb:11", "command: mariadbd --skip-name-resolve", False),
    ],
)
def test_a_stock_image_becomes_its_user_for_its_own_program_alone(
    image: str, started: str, stays_root: bool
) -> None:
    found = of_service("run-as-non-root", image, started)
    assert found.outcome is (Outcome.FAILS if stays_root else Outcome.UNKNOWN)
    rights = advice(of_service("drop-all-capabilities", image, started))
    assert ("to become that one" in rights) is not stays_root


@pytest.mark.parametrize("check", ["run-as-non-root", "drop-all-capabilities", "read-only-root"])
@pytest.mark.parametrize(
    "command", ["apk --no-cache add curl && ./run", "apt-get update; apt-get install -y curl", "pip install shop"]
)
def test_what_installs_packages_as_it_starts_is_told_to_have_them(check: str, command: str) -> None:
    lines = f'command: [sh, -c, "{command}"]'
    found = [of_deployment(check, "alpine:3.22", lines), of_service(check, "alpine:3.22", lines)]
    for each in found:
        assert "have the image hold what the command installs" in advice(each)
        assert each.fix is not None
        assert not each.fix.suggested


@pytest.mark.parametrize(
    ("image", "is_patched"),
    [("${DB_IMAGE}", False), ("contoso/api", False), (f"{DOTNET.partition(':')[0]}:${{TAG}}", True)],
)
def test_which_image_it_is_must_be_known_for_rights_to_be_taken(image: str, is_patched: bool) -> None:
    for found in (of_deployment("drop-all-capabilities", image), of_service("drop-all-capabilities", image)):
        assert found.fix is not None
        assert bool(found.fix.suggested) is is_patched
