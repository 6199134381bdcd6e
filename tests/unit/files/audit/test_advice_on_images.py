"""Advice that fits what is known of an image: what it starts, what was installed in it, and who makes it."""

import pytest

from bot.domain.repositories.finding import Outcome
from tests.unit.files.audit.world import BUILD, DEPLOYMENT, PUSH, deployment, findings, outcome, outcomes, workflow

BASE = "FROM mcr.microsoft.com/dotnet/aspnet:10.0\nRUN INSTALL\nCOPY . /app\n"
PLAIN = ("set read_only: true and tmpfs: [/tmp], with other folders that it writes", "add cap_drop: [ALL]")


def advice(check: str, files: dict[str, str]) -> str:
    (found,) = (each for each in findings(check, files) if each.outcome is Outcome.FAILS)
    assert found.fix is not None
    return found.fix.advice


@pytest.mark.parametrize(
    ("dockerfile", "is_plain"),
    [
        (BASE.replace("INSTALL", "apt-get update && apt-get install -y openssh-server"), False),
        (BASE.replace("INSTALL", "apk add --no-cache dcron sudo"), False),
        (BASE.replace("INSTALL", "apt-get update \\\n && apt-get install -y \\\n    cron"), False),
        ("FROM mcr.microsoft.com/dotnet/sdk:10.0\nCMD sleep infinity\n", False),
        (BASE.replace("INSTALL", "apt-get update && apt-get install -y libgdiplus"), True),
        (
            f"FROM mcr.microsoft.com/dotnet/sdk:10.0 AS b\nRUN apt-get install -y sudo\n{BASE}".replace(
                "RUN INS", "# "
            ),
            True,
        ),
    ],
)
def test_a_daemon_beside_the_program_needs_more_than_dotnet(dockerfile: str, *, is_plain: bool) -> None:
    files = {"compose.yaml": "services: {shop: {build: .}}\n", "Dockerfile": dockerfile}
    given = (advice("read-only-root", files), advice("drop-all-capabilities", files))
    assert (given == PLAIN) is is_plain
    assert is_plain or all(each not in PLAIN for each in given)


@pytest.mark.parametrize(
    ("command", "is_of_start"),
    [("", True), ("command: [sh, -c, pg_isready]", False), ("command: [docker-entrypoint.sh, postgres]", True)],
)
def test_what_starts_something_else_does_not_become_another_user(command: str, *, is_of_start: bool) -> None:
    given = advice("drop-all-capabilities", {"a.yaml": deployment(command, image="postgres:17")})
    assert ("SETUID" in given) is is_of_start


@pytest.mark.parametrize(("image", "is_careful"), [("rabbitmq:4", True), ("contoso/queue:4", False)])
def test_the_cookie_of_erlang_must_stay_its_owners(image: str, *, is_careful: bool) -> None:
    mount = "volumeMounts: [{name: d, mountPath: /var/lib/rabbitmq}]"
    claim = "volumes: [{name: d, persistentVolumeClaim: {claimName: d}}]"
    given = advice("volume-ownership", {"a.yaml": deployment(mount, claim, image)})
    assert ("fsGroupChangePolicy: OnRootMismatch" in given) is is_careful


PROJECT = '<Project><ItemGroup><PackageReference Include="{}" Version="1.0.0" /></ItemGroup></Project>'


@pytest.mark.parametrize(
    ("package", "image", "expected"),
    [
        ("KubernetesClient", "contoso/shop:1", Outcome.UNKNOWN),
        ("KubeOps.Operator", "contoso/shop:1", Outcome.UNKNOWN),
        ("Newtonsoft.Json", "contoso/shop:1", Outcome.FAILS),
        ("KubernetesClient", "postgres:17", Outcome.FAILS),
        ("KubernetesClient", "zookeeper:3", Outcome.FAILS),
        ("KubernetesClient", "stranger/till:3", Outcome.FAILS),
        ("KubernetesClient", "contoso/till:3", Outcome.UNKNOWN),
    ],
)
def test_a_program_that_asks_the_cluster_may_need_the_token(package: str, image: str, expected: Outcome) -> None:
    files = {
        "a.yaml": deployment(image=image),
        "src/Shop.csproj": PROJECT.format(package),
        "build.sh": "docker build -t contoso/shop:1 .\n",
    }
    (found,) = findings("service-account-token", files)
    assert found.outcome is expected


@pytest.mark.parametrize(
    ("image", "expected"),
    [("ghcr.io/contoso/api:1", Outcome.UNKNOWN), ("ghcr.io/stranger/till:1", Outcome.FAILS)],
)
def test_an_image_that_another_pushes_is_no_client_of_the_cluster(image: str, expected: Outcome) -> None:
    told = (
        "- id: meta\n  uses: docker/metadata-action@v5\n  with:\n    images: ghcr.io/${{ github.repository }}/api\n"
    )
    steps = told + PUSH.replace("ghcr.io/contoso/api:8", "${{ steps.meta.outputs.tags }}")
    files = {"a.yaml": deployment(image=image), "src/Shop.csproj": PROJECT.format("KubernetesClient")}
    assert outcome("service-account-token", {**files, BUILD: workflow(steps)}) is expected
    unnamed = PUSH.replace("ghcr.io/contoso/api:8", "${{ vars.IMAGE }}")
    assert outcome("service-account-token", {**files, BUILD: workflow(unnamed)}) is Outcome.UNKNOWN


@pytest.mark.parametrize(
    ("more", "is_patched"),
    [("", False), ("  made: {build: .}\n", False), ("  made: {build: ., image: 'stranger/queue:2'}\n", True)],
)
def test_files_are_suggested_to_programs_that_are_made_here(more: str, *, is_patched: bool) -> None:
    queue = "    image: stranger/queue:1\n    environment:\n      MT_PASSWORD: ${MT_PASSWORD}\n"
    service = f"services:\n  queue:\n{queue}"
    (found, *_) = findings("runtime-secrets", {"compose.yaml": service + more})
    assert found.fix is not None
    assert bool(found.fix.suggested) is is_patched


def test_a_template_of_openshift_is_no_chart() -> None:
    text = """
        apiVersion: template.openshift.io/v1
        kind: Template
        metadata: {name: shop}
        objects:
          - apiVersion: apps/v1
            kind: Deployment
            metadata: {name: shop}
            spec:
              selector: {matchLabels: {app: shop}}
              template:
                spec:
                  containers:
                    - name: shop
                      image: contoso/shop:1
                      env: [{name: DB_PASSWORD, valueFrom: {secretKeyRef: {name: db, key: password}}}]
    """
    (found,) = findings("runtime-secrets", {"shop.yaml": text})
    assert found.fix is not None
    assert "chart" not in found.fix.left_alone
    assert "OpenShift" in found.fix.left_alone


BUILDS = "services:\n  db: {image: '${REGISTRY}/db:${TAG}', build: {context: db}}\n"
RUNS = "services:\n  db: {image: '${REGISTRY}/db:${TAG}'}\n"


@pytest.mark.parametrize("beside", ["compose.build.yaml", "build/compose.yaml"])
def test_an_image_of_the_same_words_in_another_compose_file_is_the_one_that_it_builds(beside: str) -> None:
    folder = beside.rpartition("/")[0]
    dockerfile = f"{folder}/db/Dockerfile".lstrip("/")
    files = {
        "compose.yaml": RUNS,
        beside: BUILDS,
        dockerfile: "FROM mcr.microsoft.com/mssql/server:2022-latest\nUSER 10001\n",
    }
    (dropped, *_) = (each for each in findings("drop-all-capabilities", files) if each.place.path == "compose.yaml")
    assert dropped.fix is not None
    assert "NET_BIND_SERVICE" in dropped.fix.advice
    (user, *_) = (each for each in findings("run-as-non-root", files) if each.place.path == "compose.yaml")
    assert user.outcome is Outcome.HOLDS


def test_an_image_of_other_words_is_not_known() -> None:
    files = {
        "compose.yaml": RUNS.replace("TAG", "OTHER"),
        "compose.build.yaml": BUILDS,
        "db/Dockerfile": "FROM x\n",
    }
    (user,) = findings("run-as-non-root", files)
    assert user.outcome is Outcome.UNKNOWN


@pytest.mark.parametrize(
    ("script", "is_made"), [('name="shop.sql"\ndocker build . -t "${name}:1"\n', True), ("", False)]
)
def test_a_script_names_what_it_builds_by_its_own_variables(script: str, *, is_made: bool) -> None:
    secret = "env:\n- name: TILL_PASSWORD\n  valueFrom: {secretKeyRef: {name: till, key: password}}"
    (found,) = findings("runtime-secrets", {"a.yaml": deployment(secret, image="shop.sql:1"), "build.sh": script})
    assert found.fix is not None
    assert ("is not seen here" in found.fix.left_alone) is not is_made


@pytest.mark.parametrize(
    ("line", "is_told"),
    [
        ("COPY --from=build /root/.dotnet/corefx /root/.dotnet/corefx", True),
        ("ENV HOME=/root", True),
        ("RUN --mount=type=cache,target=/root/.nuget dotnet restore", False),
        ("COPY root/app /app", False),
    ],
)
def test_what_only_root_may_enter_is_told_with_another_user(line: str, *, is_told: bool) -> None:
    dockerfile = f'FROM mcr.microsoft.com/dotnet/aspnet:10.0\n{line}\nENTRYPOINT ["dotnet", "api.dll"]\n'
    assert ("line 2 uses /root" in advice("image-user", {"Dockerfile": dockerfile})) is is_told


SQL = {"src/db/Dockerfile": "FROM mcr.microsoft.com/mssql/server:2022-latest\nUSER mssql\n"}


@pytest.mark.parametrize(
    ("script", "image", "is_known"),
    [
        ('NAME="till.db"\ndocker build ./src/db/. -t "${NAME}:$1"\n', "till.db:0.1.0", True),
        ("docker build --tag=ghcr.io/contoso/till:1 src/db\n", "ghcr.io/contoso/till:2", True),
        ("cd src/db\ndocker build -t till .\n", "till:2", True),
        ("docker build -t $NAME src/db\n", "till:2", False),
        ("docker build -t localhost:5000/till$1 src/db\n", "localhost:5000/till", False),
        ("docker build -t till src/db\ndocker build -t till src/other\n", "till:2", False),
        ("docker run till\n", "till", False),
    ],
)
def test_an_image_that_a_script_builds_is_known_by_its_name(script: str, image: str, is_known: bool) -> None:
    files = {**SQL, "src/other/Dockerfile": "FROM debian:13\n", "build.sh": script}
    (found,) = findings("drop-all-capabilities", {**files, "a.yaml": deployment(image=image)})
    assert found.fix is not None
    assert ("NET_BIND_SERVICE" in found.fix.advice) is is_known


@pytest.mark.parametrize(
    ("image", "expected"),
    [
        ("shop/db:2.0", Outcome.HOLDS),
        ("shop/db:${TAG:-latest}", Outcome.HOLDS),
        ("${REGISTRY}/db:1.0", Outcome.UNKNOWN),
        ("shop/web", Outcome.UNKNOWN),
    ],
)
def test_an_image_that_another_compose_file_builds_is_known_by_its_name(image: str, expected: Outcome) -> None:
    files = {
        **SQL,
        "compose.yaml": f"services: {{db: {{image: '{image}'}}}}",
        "compose.build.yaml": "services: {db: {image: 'shop/db:1.0', build: src/db}}",
    }
    (found,) = findings("run-as-non-root", files)
    assert found.outcome is expected


def test_a_daemon_beside_another_users_program_may_need_rights() -> None:
    file = (
        "FROM mcr.microsoft.com/dotnet/aspnet:10.0\nRUN apt-get update && apt-get install -y sudo cron\nUSER app\n"
    )
    files = {"compose.yaml": "services: {api: {build: .}}", "Dockerfile": file}
    (found,) = findings("drop-all-capabilities", files)
    assert found.fix is not None
    assert "once what it installs beside its program needs none" in found.fix.advice
    assert not found.fix.suggested


@pytest.mark.parametrize("package", ["Akka.Discovery.KubernetesApi", "Steeltoe.Discovery.Kubernetes", "KubeClient"])
def test_a_package_may_bring_the_client(package: str) -> None:
    for path in ("src/Shop.csproj", "Directory.Packages.props"):
        files = {
            "a.yaml": deployment(image="contoso/shop:1"),
            path: PROJECT.format(package),
            "b.sh": "docker build -t contoso/shop .\n",
        }
        (found,) = findings("service-account-token", files)
        assert found.outcome is Outcome.UNKNOWN


@pytest.mark.parametrize(
    ("mount", "says"),
    [
        ("./certs:/https:ro", "that one must be allowed to read what is mounted, such as keys"),
        ("./data:/data", "must belong to that one"),
        ("~/.aws:/root/.aws:ro", "mount below the home of another user what it looks for in /root"),
        ("", "set user: '1654'"),
    ],
)
def test_another_user_must_be_allowed_to_read_what_is_mounted(mount: str, says: str) -> None:
    volumes = f"volumes: ['{mount}']" if mount else ""
    files = {
        "compose.yaml": f"services:\n  api:\n    build: .\n    {volumes}\n",
        "Dockerfile": "FROM mcr.microsoft.com/dotnet/aspnet:10.0\nCOPY . .\nENTRYPOINT [dotnet, a.dll]\n",
    }
    (found,) = findings("run-as-non-root", files)
    assert found.fix is not None
    assert says in found.fix.advice
    assert bool(found.fix.suggested) is ("/root" not in mount)


@pytest.mark.parametrize(
    ("line", "is_waived"), [("privileged: true", True), ("volumes: ['/proc:/p:ro']", True), ("", False)]
)
def test_a_service_that_watches_its_node_may_waive_what_it_cannot_do_without(line: str, *, is_waived: bool) -> None:
    text = f"services:\n  agent:\n    image: contoso/agent\n    pid: host\n    {line}\n"
    (found,) = findings("no-host-namespaces", {"compose.yaml": text})
    assert found.fix is not None
    assert ("waive the check" in found.fix.advice) is is_waived


@pytest.mark.parametrize(
    ("base", "expected"), [("USER app", Outcome.HOLDS), ("RUN true", Outcome.FAILS), ("USER $WHO", Outcome.UNKNOWN)]
)
def test_a_base_that_is_built_here_tells_the_user(base: str, expected: Outcome) -> None:
    files = {
        "compose.yaml": "services: {base: {build: base, image: 'shop-base:1'}, api: {build: api}}",
        "base/Dockerfile": f"FROM mcr.microsoft.com/dotnet/aspnet:10.0\n{base}\n",
        "api/Dockerfile": "FROM shop-base:1\nCOPY . .\nENTRYPOINT [dotnet, a.dll]\n",
    }
    found = {each.place.path: each.outcome for each in findings("image-user", files)}
    assert found["api/Dockerfile"] is expected
    services = {each.subject: each.outcome for each in findings("run-as-non-root", files)}
    assert services["service api"] is expected


def test_bases_that_stand_on_one_another_are_not_followed_for_ever() -> None:
    files = {
        "compose.yaml": "services: {a: {build: a, image: shop-a}, b: {build: b, image: shop-b}}",
        "a/Dockerfile": "FROM shop-b\n",
        "b/Dockerfile": "FROM shop-a\n",
    }
    assert {each.outcome for each in findings("run-as-non-root", files)} == {Outcome.UNKNOWN}


def test_what_is_mounted_below_the_home_of_root_is_told_where_no_uid_is_at_hand_too() -> None:
    files = {
        "compose.yaml": "services:\n  api:\n    build: .\n    volumes: ['~/.aws:/root/.aws:ro']\n",
        "Dockerfile": "FROM mcr.microsoft.com/dotnet/aspnet:6.0\nCOPY . .\nENTRYPOINT [dotnet, a.dll]\n",
    }
    (found,) = findings("run-as-non-root", files)
    assert found.fix is not None
    assert "mount below the home of another user" in found.fix.advice


OWNERS = "command: [sh, -c, 'chown -R 1654:1654 /data']"


def test_what_changes_owners_is_advised_what_does_so_without_root() -> None:
    root = "securityContext: {runAsUser: 0}"
    pod = {"a.yaml": deployment(f"{OWNERS}\n{root}", image="busybox:1.37")}
    assert "fsGroup let its program write" in advice("run-as-non-root", pod)
    assert "add: [CHOWN, DAC_OVERRIDE, FOWNER]" in advice("drop-all-capabilities", pod)
    service = {"compose.yaml": f"services:\n  own:\n    image: busybox:1.37\n    user: '0'\n    {OWNERS}\n"}
    assert "the image make the folder as its user's" in advice("run-as-non-root", service)
    assert "cap_add: [CHOWN, DAC_OVERRIDE, FOWNER]" in advice("drop-all-capabilities", service)


@pytest.mark.parametrize(
    ("command", "is_change"),
    [
        ("chmod +x /app/run.sh && /app/run.sh", False),
        ("chmod a+rx /app/run.sh; /app/run.sh", False),
        ("chmod 755 /app/run.sh && /app/run.sh", False),
        ("chmod -R 770 /data", True),
        ("chmod g+w /data", True),
        ("/bin/chgrp 1654 /data", True),
    ],
)
def test_a_script_that_is_made_one_to_run_changes_no_owners(command: str, *, is_change: bool) -> None:
    given = f"command: [sh, -c, '{command}']\nsecurityContext: {{runAsUser: 0}}"
    pod = {"a.yaml": deployment(given, image="busybox:1.37")}
    assert ("FOWNER" in advice("drop-all-capabilities", pod)) is is_change
    assert ("fsGroup let its program write" in advice("run-as-non-root", pod)) is is_change


def test_what_sets_the_kernel_of_its_node_is_told_where_else_that_is_set() -> None:
    setting = (
        "command: [sh, -c, 'sysctl -w vm.max_map_count=262144']\nsecurityContext: {privileged: true, runAsUser: 0}"
    )
    files = {"a.yaml": deployment(setting, image="busybox:1.37")}
    for check in ("not-privileged", "run-as-non-root"):
        assert advice(check, files).startswith("set that on the nodes themselves")


@pytest.mark.parametrize(
    ("command", "is_set"),
    [
        ("cat /proc/sys/kernel/random/uuid", False),
        ("sysctl -n kernel.hostname; ./run -w", False),
        ("sysctl -a", False),
        ("echo 1 > /tmp/a; cat /proc/sys/vm/overcommit_memory", False),
        ("sysctl -q vm.max_map_count=262144", True),
        ("sysctl -p /etc/sysctl.d/own.conf", True),
        ("sysctl --system", True),
        ("echo 262144 > /proc/sys/vm/max_map_count", True),
        ("echo 262144 | tee -a /proc/sys/vm/max_map_count", True),
    ],
)
def test_what_reads_of_the_kernel_is_told_nothing_of_setting_it(command: str, *, is_set: bool) -> None:
    setting = f"command: [sh, -c, '{command}']\nsecurityContext: {{privileged: true}}"
    files = {"a.yaml": deployment(setting, image="busybox:1.37")}
    assert advice("not-privileged", files).startswith("set that on the nodes") is is_set


@pytest.mark.parametrize(("tag", "is_by_chroot"), [("7.17.9", True), ("8.19.0", False)])
def test_elasticsearch_needs_chroot_to_become_its_user(tag: str, *, is_by_chroot: bool) -> None:
    files = {"a.yaml": deployment(image=f"docker.elastic.co/elasticsearch/elasticsearch:{tag}")}
    assert ("SYS_CHROOT" in advice("drop-all-capabilities", files)) is is_by_chroot


@pytest.mark.parametrize(("volumes", "is_of_another"), [("", False), ("    volumes: ['.:/src']\n", True)])
def test_sources_that_nobody_mounts_are_no_other_users(volumes: str, *, is_of_another: bool) -> None:
    service = (
        f"services:\n  api:\n    image: mcr.microsoft.com/dotnet/sdk:10.0\n    command: dotnet watch\n{volumes}"
    )
    assert ("DAC_OVERRIDE" in advice("drop-all-capabilities", {"compose.yaml": service})) is is_of_another


@pytest.mark.parametrize(
    ("volume", "is_tried"),
    [("./my.conf:/etc/nginx/nginx.conf", True), ("./conf:/etc/nginx", True), ("./a:/etc/nginx/conf.d", False)],
)
def test_a_server_whose_own_settings_are_replaced_is_told_what_to_try(volume: str, *, is_tried: bool) -> None:
    files = {"compose.yaml": f"services:\n  web:\n    image: nginx:1.27\n    volumes: ['{volume}']\n"}
    for check in ("drop-all-capabilities", "run-as-non-root"):
        assert advice(check, files).startswith("try to ") is is_tried


@pytest.mark.parametrize("check", ["drop-all-capabilities", "no-privilege-escalation", "read-only-root"])
def test_a_service_whose_image_starts_nothing_is_asked_nothing(check: str) -> None:
    built = "services:\n  out:\n    build: {context: ., target: out}\n"
    text = "FROM contoso/sdk AS build\nRUN make\nFROM scratch AS out\nCOPY --from=build /out /\n"
    assert outcome(check, {"compose.yaml": built, "Dockerfile": text}) is Outcome.NOT_APPLICABLE
    started = {"compose.yaml": built + "    command: /run\n", "Dockerfile": text}
    assert outcome(check, started) is Outcome.FAILS


@pytest.mark.parametrize(("more", "expected"), [("", []), ("    privileged: true\n", [Outcome.FAILS])])
def test_a_file_that_is_named_for_building_runs_what_it_says_how_to_run(more: str, expected: list[Outcome]) -> None:
    text = f"services:\n  api:\n    build: .\n    image: contoso/api\n{more}"
    assert outcomes("not-privileged", {"docker-compose.build.yml": text}) == expected


def test_an_image_that_is_not_root_changes_no_owners_as_root() -> None:
    command = "command: [sh, -c, 'chown -R pgadmin /tmp/x; /entrypoint.sh']"
    files = {"a.yaml": deployment(command, image="dpage/pgadmin4:9")}
    assert "add: [NET_BIND_SERVICE]" in advice("drop-all-capabilities", files)
    assert "fsGroup" not in advice("run-as-non-root", files)


@pytest.mark.parametrize(
    ("base", "is_low"),
    [("aspnet:6.0", True), ("core/aspnet:3.1", True), ("sdk:6.0", False), ("core/sdk:3.1", False)],
)
def test_the_sdk_of_an_early_dotnet_listens_on_no_low_port(base: str, *, is_low: bool) -> None:
    files = {
        "Dockerfile": f'FROM mcr.microsoft.com/dotnet/{base}\nENTRYPOINT ["dotnet", "Api.dll"]\n',
        "build.sh": "docker build -t contoso/api .\n",
        DEPLOYMENT: deployment("ports: [{containerPort: 8080}]", image="contoso/api"),
    }
    (found,) = findings("drop-all-capabilities", files)
    assert found.fix is not None
    assert ("NET_BIND_SERVICE" in found.fix.advice) is is_low


def test_a_service_whose_image_uses_the_home_of_root_is_told_so_before_it_gets_another_user() -> None:
    lines = ["FROM mcr.microsoft.com/dotnet/sdk:8.0", 'ENV PATH="$PATH:/root/.dotnet/tools"', 'ENTRYPOINT ["x"]']
    files = {"Dockerfile": "\n".join(lines), "compose.yaml": "services: {api: {build: .}}\n"}
    (found,) = findings("run-as-non-root", files)
    assert found.fix is not None
    assert "/root, which no other user may enter" in found.fix.advice


@pytest.mark.parametrize(
    ("volume", "is_of_another"),
    [
        ("./src:/src", True),
        ("./:/", True),
        ("./api:/src/api", True),
        ("./certs:/https:ro", False),
        ("data:/src", False),
    ],
)
def test_sources_are_another_user_s_only_where_a_folder_of_the_host_is_mounted_over_them(
    volume: str, *, is_of_another: bool
) -> None:
    files = {
        "Dockerfile": "FROM mcr.microsoft.com/dotnet/sdk:10.0\nWORKDIR /src\nCOPY . .\nCMD dotnet run\n",
        "compose.yaml": f"services: {{api: {{build: ., volumes: ['{volume}']}}}}\n",
    }
    (found,) = findings("drop-all-capabilities", files)
    assert found.fix is not None
    assert ("DAC_OVERRIDE" in found.fix.advice) is is_of_another
