"""Manifests and Compose files: what a container may do."""

import pytest

from bot.domain.repositories.finding import Outcome
from bot.files.formats.dockerfile.lines import Script
from bot.files.formats.dockerfile.lines import read as read_script
from tests.unit.files.audit.world import DEPLOYMENT, context, deployment, findings, outcome, outcomes

HOLDS, FAILS, UNKNOWN, NOT_APPLICABLE = Outcome.HOLDS, Outcome.FAILS, Outcome.UNKNOWN, Outcome.NOT_APPLICABLE


@pytest.mark.parametrize(
    ("check", "container", "pod", "expected"),
    [
        ("run-as-non-root", "", "", FAILS),
        ("run-as-non-root", context("runAsNonRoot: true"), "", HOLDS),
        ("run-as-non-root", context("runAsUser: 1654"), "", HOLDS),
        ("run-as-non-root", context("runAsUser: 0"), "", FAILS),
        ("run-as-non-root", "", context("runAsNonRoot: true"), HOLDS),
        ("run-as-non-root", context("runAsUser: 0"), context("runAsNonRoot: true"), FAILS),
        ("run-as-non-root", context("runAsNonRoot: false"), context("runAsNonRoot: true"), FAILS),
        ("run-as-non-root", "", "os: {name: windows}", NOT_APPLICABLE),
        ("run-as-non-root", "", "nodeSelector: {kubernetes.io/os: windows}", NOT_APPLICABLE),
        ("no-privilege-escalation", "", "", FAILS),
        ("no-privilege-escalation", context("allowPrivilegeEscalation: true"), "", FAILS),
        ("no-privilege-escalation", context("allowPrivilegeEscalation: false"), "", HOLDS),
        ("no-privilege-escalation", "", context("allowPrivilegeEscalation: false"), FAILS),
        ("no-privilege-escalation", context("privileged: true"), "", NOT_APPLICABLE),
        (
            "no-privilege-escalation",
            context("allowPrivilegeEscalation: false\nprivileged: true"),
            "",
            NOT_APPLICABLE,
        ),
        ("drop-all-capabilities", "", "", FAILS),
        ("drop-all-capabilities", context("capabilities: {drop: [ALL]}"), "", HOLDS),
        ("drop-all-capabilities", context("capabilities: {drop: [NET_RAW]}"), "", FAILS),
        ("drop-all-capabilities", context("privileged: true\ncapabilities: {drop: [ALL]}"), "", NOT_APPLICABLE),
        ("no-added-capabilities", "", "", HOLDS),
        ("no-added-capabilities", context("capabilities: {add: [NET_BIND_SERVICE]}"), "", HOLDS),
        ("no-added-capabilities", context("capabilities: {add: [SYS_ADMIN]}"), "", FAILS),
        ("seccomp-profile", "", "", FAILS),
        ("seccomp-profile", context("privileged: true"), "", NOT_APPLICABLE),
        ("seccomp-profile", "", context("seccompProfile: {type: RuntimeDefault}"), HOLDS),
        ("seccomp-profile", context("seccompProfile: {type: Localhost}"), "", HOLDS),
        (
            "seccomp-profile",
            context("seccompProfile: {type: Unconfined}"),
            context("seccompProfile: {type: RuntimeDefault}"),
            FAILS,
        ),
        ("read-only-root", "", "", FAILS),
        ("read-only-root", context("readOnlyRootFilesystem: true"), "", FAILS),
        (
            "read-only-root",
            context("readOnlyRootFilesystem: true") + "\nvolumeMounts: [{name: tmp, mountPath: /tmp}]",
            "volumes: [{name: tmp, emptyDir: {}}]",
            HOLDS,
        ),
        (
            "read-only-root",
            context("readOnlyRootFilesystem: true")
            + "\nvolumeMounts: [{name: c, mountPath: /tmp, readOnly: true}]",
            "",
            FAILS,
        ),
        ("volume-ownership", "", "", NOT_APPLICABLE),
        (
            "volume-ownership",
            "volumeMounts: [{name: data, mountPath: /data}]",
            "volumes: [{name: data, persistentVolumeClaim: {claimName: data}}]",
            FAILS,
        ),
        (
            "volume-ownership",
            "volumeMounts: [{name: data, mountPath: /data}]",
            "volumes: [{name: data, persistentVolumeClaim: {claimName: data}}]\nsecurityContext: {fsGroup: 1654}",
            HOLDS,
        ),
        ("not-privileged", "", "", HOLDS),
        ("not-privileged", context("privileged: true"), "", FAILS),
        ("no-host-namespaces", "", "", HOLDS),
        ("no-host-namespaces", "", "hostPID: true", FAILS),
        ("no-host-paths", "", "volumes: [{name: logs, hostPath: {path: /var/log}}]", FAILS),
        ("no-host-paths", "", "volumes: [{name: logs, emptyDir: {}}]", HOLDS),
        ("no-engine-socket", "", "volumes: [{name: engine, hostPath: {path: /var/run/docker.sock}}]", FAILS),
        ("no-engine-socket", "", "volumes: [{name: logs, hostPath: {path: /var/log}}]", HOLDS),
    ],
)
def test_a_pod_of_a_manifest(check: str, container: str, pod: str, expected: Outcome) -> None:
    assert outcome(check, {DEPLOYMENT: deployment(container, pod)}) is expected


def test_an_init_container_and_a_sidecar_are_asked_as_well() -> None:
    pod = (
        "initContainers: [{name: migrate, image: contoso/migrate}, {name: proxy, image: e, restartPolicy: Always}]"
    )
    subjects = [each.subject for each in findings("run-as-non-root", {DEPLOYMENT: deployment(pod=pod)})]
    assert subjects == [
        "Deployment/api · container api",
        "Deployment/api · init container migrate",
        "Deployment/api · init container proxy",
    ]


def test_a_finding_names_the_lines_of_the_setting() -> None:
    (found,) = findings("run-as-non-root", {DEPLOYMENT: deployment(context("runAsUser: 0"))})
    assert (found.place.path, found.place.start, found.place.end) == (DEPLOYMENT, 12, 12)


@pytest.mark.parametrize("folder", ["tests/", "samples/api/", "e2e/"])
def test_manifests_of_tests_and_samples_are_not_asked(folder: str) -> None:
    assert outcomes("run-as-non-root", {f"{folder}api.yaml": deployment()}) == []


def test_a_cron_job_has_its_pod_deeper() -> None:
    text = """
        apiVersion: batch/v1
        kind: CronJob
        metadata: {name: clean}
        spec: {jobTemplate: {spec: {template: {spec: {containers: [{name: clean, image: contoso/clean}]}}}}}
    """
    (found,) = findings("not-privileged", {DEPLOYMENT: text})
    assert found.subject == "CronJob/clean · container clean"


COMPOSE = """
services:
  api:
    image: contoso/api:1.0
{lines}
"""


@pytest.mark.parametrize(
    ("check", "lines", "expected"),
    [
        ("run-as-non-root", "user: '1654'", HOLDS),
        ("run-as-non-root", "user: root", FAILS),
        ("run-as-non-root", "user: '0:0'", FAILS),
        ("run-as-non-root", "user: ${UID}", UNKNOWN),
        ("run-as-non-root", "user: ${UID:-1000}", HOLDS),
        ("run-as-non-root", "", UNKNOWN),
        ("no-privilege-escalation", "security_opt: ['no-new-privileges:true']", HOLDS),
        ("no-privilege-escalation", "", FAILS),
        ("drop-all-capabilities", "cap_drop: [ALL]", HOLDS),
        ("drop-all-capabilities", "", FAILS),
        ("no-added-capabilities", "cap_add: [SYS_ADMIN]", FAILS),
        ("drop-all-capabilities", "privileged: true\n    cap_drop: [ALL]", NOT_APPLICABLE),
        ("seccomp-profile", "privileged: true", NOT_APPLICABLE),
        ("seccomp-profile", "", HOLDS),
        ("seccomp-profile", "security_opt: ['seccomp:unconfined']", FAILS),
        ("read-only-root", "read_only: true", FAILS),
        ("read-only-root", "read_only: true\n    tmpfs: [/tmp]", HOLDS),
        ("not-privileged", "privileged: true", FAILS),
        ("no-host-namespaces", "network_mode: host", FAILS),
        ("no-engine-socket", "volumes: ['/var/run/docker.sock:/var/run/docker.sock:ro']", FAILS),
        ("no-host-paths", "volumes: ['/etc:/host/etc:ro']", FAILS),
        ("no-host-paths", "volumes: ['./data:/data', 'named:/var/lib']", HOLDS),
    ],
)
def test_a_service_of_compose(check: str, lines: str, expected: Outcome) -> None:
    assert outcome(check, {"compose.yaml": COMPOSE.format(lines=f"    {lines}" if lines else "")}) is expected


def test_a_service_that_is_built_here_has_the_user_of_its_image() -> None:
    files = {
        "compose.yaml": "services: {api: {build: .}}",
        "Dockerfile": "FROM mcr.microsoft.com/dotnet/aspnet:8.0-noble-chiseled\n",
    }
    assert outcome("run-as-non-root", files) is HOLDS


def test_a_dockerfile_is_read_once_for_all_services_that_are_built_from_it(monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[str] = []

    def counting(text: str) -> Script:
        read.append(text)
        return read_script(text)

    monkeypatch.setattr("bot.files.audit.images.dockerfile.read", counting)
    services = "".join(f"  a{number}: {{build: .}}\n" for number in range(5))
    files = {"compose.yaml": f"services:\n{services}", "Dockerfile": "FROM alpine:3.20\nUSER 1654\n"}
    assert outcomes("run-as-non-root", files).count(HOLDS) >= 5
    assert len([text for text in read if "USER" in text]) == 1


def test_a_service_has_the_settings_of_the_one_that_it_extends() -> None:
    text = """
        services:
          base: {image: contoso/base, cap_drop: [ALL]}
          api: {extends: base, image: contoso/api}
    """
    assert outcomes("drop-all-capabilities", {"compose.yaml": text}) == [HOLDS, HOLDS]


EXTENDED = {
    "compose.yaml": "services:\n  api:\n    build: {context: ./src, dockerfile: api/Dockerfile, target: last}\n",
    "src/api/Dockerfile": "FROM alpine:3.20\nUSER 1\nFROM alpine:3.20 AS last\n",
    "src/sync/Dockerfile": "FROM alpine:3.20\nUSER 1\n",
    "src/sync/more.compose.yaml": "services:\n  api:\n    extends: {file: ../../compose.yaml, service: api}\n",
}


@pytest.mark.parametrize("build", ["", "    build: {args: [VERSION=1]}\n"])
def test_a_service_is_built_as_the_one_of_another_file_that_it_extends(build: str) -> None:
    path = "src/sync/more.compose.yaml"
    found = findings("run-as-non-root", EXTENDED | {path: EXTENDED[path] + build})
    assert [(each.place.path, each.outcome) for each in found] == [("compose.yaml", FAILS), (path, FAILS)]


@pytest.mark.parametrize("check", ["drop-all-capabilities", "read-only-root", "no-engine-socket"])
@pytest.mark.parametrize(
    "lines",
    [
        "isolation: ${ISOLATION}",
        "isolation: hyperv",
        "volumes: ['./web:C:/inetpub/wwwroot']",
        "volumes: ['.\\\\data:c:\\\\data']",
        "volumes: [{type: npipe, source: '\\\\.\\pipe\\docker_engine', target: '\\\\.\\pipe\\docker_engine'}]",
    ],
)
def test_a_service_of_windows_is_asked_nothing(check: str, lines: str) -> None:
    text = f"services:\n  api:\n    image: ${{IMAGE}}\n    {lines}\n"
    assert outcome(check, {"compose.yaml": text.replace("\\\\\\\\", "\\\\")}) is NOT_APPLICABLE


def test_a_compose_file_of_another_name_is_asked_too() -> None:
    assert outcomes("not-privileged", {"deploy/shop.yml": COMPOSE.format(lines="    privileged: true")}) == [FAILS]


def test_compose_files_for_developers_are_not_asked() -> None:
    assert (
        outcomes("not-privileged", {"docker-compose.dev.yml": COMPOSE.format(lines="    privileged: true")}) == []
    )


OF_WINDOWS = "FROM mcr.microsoft.com/windows/servercore:ltsc2022\n"
OF_LINUX = "FROM debian:13\n"


def test_what_is_built_for_windows_is_asked_nothing_beside_what_is_built_for_linux() -> None:
    text = """
        services:
          api: {build: {context: ., dockerfile: Dockerfile.windows}}
          web: {build: {context: ., dockerfile: Dockerfile.linux}}
    """
    files = {"compose.yaml": text, "Dockerfile.windows": OF_WINDOWS, "Dockerfile.linux": OF_LINUX}
    assert outcomes("drop-all-capabilities", files) == [NOT_APPLICABLE, FAILS]


def test_all_that_an_engine_of_windows_runs_is_of_windows() -> None:
    text = """
        services:
          db: {image: contoso/db}
          api: {image: contoso/api, volumes: ['./data:C:/data']}
    """
    assert outcomes("drop-all-capabilities", {"compose.yaml": text}) == [NOT_APPLICABLE, NOT_APPLICABLE]


@pytest.mark.parametrize(
    ("path", "service", "expected"),
    [
        ("compose.yaml", "image: contoso/mssql-server-windows-express:latest", [NOT_APPLICABLE]),
        ("compose.yaml", "build: {args: {FRAMEWORK: net10.0}}", []),
        ("compose.yaml", "build: {context: ., args: {FRAMEWORK: net10.0}}", [FAILS]),
        ("docker-compose.build.yml", "build: .", []),
    ],
)
def test_services_that_a_file_does_not_run_on_linux(path: str, service: str, expected: list[Outcome]) -> None:
    assert outcomes("drop-all-capabilities", {path: f"services:\n  api:\n    {service}\n"}) == expected


@pytest.mark.parametrize(
    ("check", "line"),
    [
        ("read-only-root", 2),
        ("run-as-non-root", 3),
        ("not-privileged", 4),
        ("no-privilege-escalation", 5),
        ("drop-all-capabilities", 6),
        ("runtime-secrets", 8),
    ],
)
def test_what_an_anchor_brings_in_is_told_at_the_line_that_says_it(check: str, line: int) -> None:
    text = """
    x-common: &common
      read_only: false
      user: root
      privileged: true
      security_opt: ['no-new-privileges:false']
      cap_drop: [NET_RAW]
    x-env: &env
      DB_PASSWORD: hunter2hunter2
    services:
      api:
        <<: *common
        image: contoso/api:1.0
        environment: {<<: *env, OTHER: x}
    """
    if check in {"drop-all-capabilities", "no-privilege-escalation"}:  # a privileged service is not asked
        text = text.replace("privileged: true", "privileged: false")
    (found,) = findings(check, {"compose.yaml": text})
    assert found.outcome is FAILS
    assert found.place.start == line


def test_a_service_that_only_an_anchor_makes_is_told_at_its_name() -> None:
    text = """
    services:
      api: &api
        image: prom/prometheus
      more:
        <<: *api
    """
    found = findings("drop-all-capabilities", {"compose.yaml": text})
    assert [(each.subject, each.place.start) for each in found] == [("service api", 3), ("service more", 4)]
    assert all(each.fix is not None and "anchors" in each.fix.left_alone for each in found)


TEMPLATE = """
apiVersion: template.openshift.io/v1
kind: Template
metadata: {name: shop}
parameters: [{name: NAME, value: shop}]
objects:
- apiVersion: apps.openshift.io/v1
  kind: DeploymentConfig
  metadata: {name: "${NAME}-api"}
  spec:
    triggers: [{type: ConfigChange}]
    template:
      spec:
        containers:
        - name: api
          image: ghcr.io/contoso/api:1.0
          securityContext: {privileged: true, runAsUser: "${{UID}}"}
- apiVersion: v1
  kind: Secret
  metadata: {name: shop}
  stringData: {password: "${PASSWORD}", token: hunter2-of-the-shop}
"""


def test_what_a_template_of_openshift_runs_is_judged() -> None:
    files = {"deploy/template.yaml": TEMPLATE}
    assert outcomes("not-privileged", files) == [FAILS]
    assert outcomes("deployed-by-digest", files) == [FAILS]
    assert outcomes("secrets-in-manifests", files) == [FAILS]
    streamed = {"deploy/template.yaml": TEMPLATE.replace("ConfigChange", "ImageChange")}
    assert outcomes("deployed-by-digest", streamed) == [UNKNOWN]


@pytest.mark.parametrize("check", ["run-as-non-root", "seccomp-profile", "drop-all-capabilities"])
def test_what_openshift_may_set_is_unknown(check: str) -> None:
    (found,) = findings(check, {"deploy/template.yaml": TEMPLATE.replace("privileged: true, ", "")})
    assert found.outcome is UNKNOWN


def test_openshift_takes_no_token_away() -> None:
    assert outcomes("service-account-token", {"deploy/template.yaml": TEMPLATE}) == [FAILS]


@pytest.mark.parametrize("value", ["${UID}", "${{UID}}", "#{Uid}#", "__UID__"])
def test_a_setting_that_a_deployment_puts_in_is_unknown(value: str) -> None:
    lines = f"securityContext: {{runAsUser: '{value}', readOnlyRootFilesystem: '{value}'}}"
    for check in ("run-as-non-root", "read-only-root"):
        assert outcomes(check, {DEPLOYMENT: deployment(lines)}) == [UNKNOWN]


ARGUED_SERVICE = "services:\n  api:\n    build: {args: {TOKEN: a}}\n    environment: {DB_PASSWORD: hunter2}\n"


@pytest.mark.parametrize(
    ("others", "expected"),
    [
        ({"Dockerfile": "FROM debian:13\n"}, [FAILS]),
        ({}, []),
        ({"Dockerfile": "FROM debian:13\n", "compose.prod.yaml": "services: {api: {build: src}}"}, [HOLDS]),
    ],
)
def test_a_service_that_is_built_where_compose_looks_by_itself_is_judged(
    others: dict[str, str], expected: list[Outcome]
) -> None:
    assert outcomes("runtime-secrets", {"compose.yaml": ARGUED_SERVICE, **others}) == expected


NO_IMAGE = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: api}
spec:
  selector: {matchLabels: {app: api}}
  template:
    spec:
      initContainers:
        - name: sysctl
          securityContext: {privileged: true}
          command: [sh, -c, sysctl -w vm.max_map_count=262144]
      containers:
        - {name: api, image: 'contoso/api:1.0'}
"""


@pytest.mark.parametrize(
    "files",
    [
        {"deploy/api.yaml": NO_IMAGE},
        {"chart/Chart.yaml": "name: api\nversion: 1.0.0\n", "chart/templates/api.yaml": NO_IMAGE},
    ],
)
def test_a_privileged_init_container_is_told_though_it_names_no_image(files: dict[str, str]) -> None:
    assert outcomes("not-privileged", files).count(FAILS) == 1
    (told,) = [each for each in findings("no-latest-deployed", files) if "sysctl" in each.subject]
    assert (told.outcome, told.message) == (UNKNOWN, "no image is written, without which no cluster takes it")


def test_a_part_of_a_workload_is_no_container_that_lacks_an_image() -> None:
    part = NO_IMAGE.replace("  selector: {matchLabels: {app: api}}\n", "")
    assert outcomes("not-privileged", {"deploy/api.yaml": part}) == [HOLDS]


def test_a_container_that_may_administer_the_system_cannot_lose_its_escalation_first() -> None:
    lines = context("capabilities: {add: [SYS_ADMIN]}")
    (found,) = findings("no-privilege-escalation", {DEPLOYMENT: deployment(lines)})
    assert found.fix is not None
    assert (found.fix.edits, found.fix.suggested) == ((), ())
    assert "SYS_ADMIN" in found.fix.advice


SWARM_KEY = "security_opt: ['no-new-privileges:true']"
STACK_SCRIPT = {"deploy.sh": "docker stack deploy --prune -c ops/shop.yml shop\n"}


@pytest.mark.parametrize(
    ("check", "lines", "expected"),
    [
        ("no-privilege-escalation", "", UNKNOWN),
        ("no-privilege-escalation", SWARM_KEY, UNKNOWN),
        ("seccomp-profile", "security_opt: ['seccomp:unconfined']", UNKNOWN),
        ("not-privileged", "privileged: true", UNKNOWN),
        ("not-privileged", "", HOLDS),
        ("no-host-namespaces", "pid: host", UNKNOWN),
        ("drop-all-capabilities", "", FAILS),
        ("read-only-root", "", FAILS),
        ("read-only-root", "read_only: true\n    tmpfs: [/tmp]", FAILS),
        ("read-only-root", "read_only: true\n    volumes: [{type: tmpfs, target: /tmp}]", HOLDS),
    ],
)
@pytest.mark.parametrize(("path", "beside"), [("docker-stack.yml", {}), ("ops/shop.yml", STACK_SCRIPT)])
def test_a_stack_of_swarm_is_judged_by_what_swarm_reads(
    check: str, lines: str, expected: Outcome, path: str, beside: dict[str, str]
) -> None:
    assert outcome(check, {path: COMPOSE.format(lines=f"    {lines}"), **beside}) is expected


def test_no_setting_is_proposed_that_swarm_ignores() -> None:
    (found,) = findings("no-privilege-escalation", {"docker-stack.yml": COMPOSE.format(lines="")})
    assert (found.outcome, found.fix) == (UNKNOWN, None)
    assert "daemon.json" in found.settled_by


def test_a_folder_in_memory_is_proposed_as_swarm_reads_it() -> None:
    (found,) = findings("read-only-root", {"docker-stack.yml": COMPOSE.format(lines="")})
    assert found.fix is not None
    assert "set read_only: true, and mount a volume of type: tmpfs at /tmp" in found.fix.advice
    assert found.fix.suggested == ()


WATCHED = 'FROM mcr.microsoft.com/dotnet/sdk:10.0\nCOPY . /src\nENTRYPOINT ["dotnet", "watch", "run"]\n'
BUILT = "services:\n  api:\n    build: .\n"


@pytest.mark.parametrize("check", ["read-only-root", "drop-all-capabilities"])
@pytest.mark.parametrize(
    "files",
    [
        {"compose.yaml": BUILT, "Dockerfile": WATCHED},
        {"compose.yaml": f"{BUILT}    command: dotnet run --project src\n", "Dockerfile": "FROM contoso/sdk\n"},
        {DEPLOYMENT: deployment("command: [dotnet, watch]")},
        {DEPLOYMENT: deployment("args: [sh, -c, 'cd src && dotnet run']")},
    ],
)
def test_what_builds_where_it_runs_is_given_no_setting_that_breaks_it(check: str, files: dict[str, str]) -> None:
    (found,) = findings(check, files)
    assert (found.outcome, found.fix is not None) == (FAILS, True)
    assert found.fix is not None
    assert (found.fix.edits, found.fix.suggested) == ((), ())
    assert "dotnet publish" in found.fix.advice


BOUND = "securityContext: {runAsUser: 101, capabilities: {drop: [ALL], add: [NET_BIND_SERVICE]}}"


def test_a_right_that_a_file_gives_is_not_taken_away_by_advice() -> None:
    service = "services: {web: {image: contoso/web, user: '101', cap_drop: [ALL], cap_add: [NET_BIND_SERVICE]}}"
    for files in ({DEPLOYMENT: deployment(BOUND)}, {"compose.yaml": service}):
        (found,) = findings("no-privilege-escalation", files)
        assert found.fix is not None
        assert "do without the capabilities that are added" in found.fix.advice
        assert found.fix.suggested == found.fix.edits == ()


def test_a_plain_service_in_a_chart_runs_nothing() -> None:
    text = """
        apiVersion: v1
        kind: Service
        metadata: {name: metrics}
        spec:
          {{- if include "shop.cond" . }}
          clusterIP: None
          {{- end }}
          ports: [{port: 80}]
    """
    files = {"chart/Chart.yaml": "apiVersion: v2\nname: shop\nversion: 1.0.0\n", "chart/templates/s.yaml": text}
    assert outcomes("not-privileged", files) == []


@pytest.mark.parametrize("path", ["/var/lib/docker", "/var/lib/docker/", "/var/lib/kubelet/pods"])
def test_the_folders_of_the_engine_are_the_systems(path: str) -> None:
    files = {"compose.yaml": f"services: {{a: {{image: contoso/a, volumes: ['{path}:/data:ro']}}}}"}
    assert outcome("no-host-paths", files) is FAILS


@pytest.mark.parametrize(
    ("mode", "expected"),
    [("bridge", Outcome.HOLDS), ("host", Outcome.FAILS), ('"service:web"', Outcome.HOLDS)],
)
def test_a_service_shares_the_namespaces_of_the_one_whose_network_it_has(mode: str, expected: Outcome) -> None:
    text = f"""
    services:
      web: {{image: contoso/web, network_mode: bridge}}
      api: {{image: contoso/api, network_mode: {mode}}}
      sidecar: {{image: contoso/sidecar, network_mode: "service:api"}}
    """
    sidecar = next(
        each for each in findings("no-host-namespaces", {"compose.yaml": text}) if each.subject == "service sidecar"
    )
    assert sidecar.outcome is expected
    assert "of its own" not in sidecar.message


def test_a_service_whose_user_names_a_group_alone_runs_as_root() -> None:
    text = 'services: {api: {image: contoso/api, user: ":api"}}\n'
    (found,) = findings("run-as-non-root", {"compose.yaml": text})
    assert (found.outcome, "names a group alone" in found.message) == (Outcome.FAILS, True)
