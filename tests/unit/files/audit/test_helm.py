"""Charts: templates with the chart's own values."""

import pytest

from bot.domain.repositories.finding import Outcome
from bot.files.audit.workloads.helm_rendering import RenderedLines
from bot.files.formats.practices import tells_of_practices
from bot.files.formats.source.nodes import Mapping
from tests.unit.files.audit.world import findings, outcome

TEMPLATE = """
apiVersion: apps/v1
kind: Deployment
metadata:
  name: {{ include "api.fullname" . }}
  labels:
    {{- include "api.labels" . | nindent 4 }}
spec:
  {{- if not .Values.autoscaling.enabled }}
  replicas: {{ .Values.replicaCount }}
  {{- end }}
  template:
    spec:
      {{- with .Values.imagePullSecrets }}
      imagePullSecrets:
        {{- toYaml . | nindent 8 }}
      {{- end }}
      securityContext:
        {{- toYaml .Values.podSecurityContext | nindent 8 }}
      containers:
        - name: {{ .Chart.Name }}
          securityContext:
            {{- toYaml .Values.securityContext | nindent 12 }}
          image: "{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}"
          resources:
            {{- toYaml .Values.resources | nindent 12 }}
"""
SPARE = (
    "podSecurityContext: {}\nsecurityContext: {}\nautoscaling: {enabled: false}\nimage: {repository: contoso/api}\n"
)


def chart(values: str, template: str = TEMPLATE) -> dict[str, str]:
    return {
        "chart/Chart.yaml": "apiVersion: v2\nname: api\nversion: 1.0.0\n",
        "chart/values.yaml": values,
        "chart/templates/deployment.yaml": template,
    }


def test_values_that_say_nothing_fail() -> None:
    (found,) = findings("run-as-non-root", chart(SPARE))
    assert found.outcome is Outcome.FAILS
    assert found.place.path == "chart/templates/deployment.yaml"
    assert found.place.start == 20


def test_a_name_that_the_values_fill_in_half_is_not_shown() -> None:
    template = TEMPLATE.replace('{{ include "api.fullname" . }}', "{{ .Values.name }}-api")
    template = template.replace(
        "      containers:", "      serviceAccountName: {{ .Values.name }}-sa\n      containers:"
    )
    (found,) = findings("service-account-token", chart(f"{SPARE}name: ''\n", template))
    assert (found.outcome, found.subject) == (Outcome.UNKNOWN, "Deployment/deployment (chart chart)")
    assert "filled in by a template" in found.message
    assert "-sa" not in found.message


VERSIONED = "podSecurityContext: {}\nsecurityContext: {}\nimage: {repository: ghcr.io/contoso/api, tag: ''}\n"


def test_what_the_chart_says_of_itself_is_put_in() -> None:
    files = chart(VERSIONED) | {"chart/Chart.yaml": "apiVersion: v2\nname: shop\nappVersion: 1.4.1-rc.1\n"}
    (found,) = findings("deployed-by-digest", files)
    assert (found.outcome, found.subject) == (
        Outcome.FAILS,
        "Deployment/deployment (chart chart) \u00b7 container shop",
    )
    assert found.message.startswith("ghcr.io/contoso/api:1.4.1-rc.1 is a tag")


@pytest.mark.parametrize("default", [".Values.global.tag", ".Release.Name", "$tag"])
def test_a_default_that_is_a_name_is_never_put_in_as_it_is_written(default: str) -> None:
    files = chart(VERSIONED, TEMPLATE.replace(".Chart.AppVersion", default))
    (found,) = findings("deployed-by-digest", files)
    assert (found.outcome, found.message) == (Outcome.UNKNOWN, "its image is filled in elsewhere")


def test_a_setting_of_the_values_is_found_where_it_stands() -> None:
    (found,) = findings("run-as-non-root", chart("podSecurityContext:\n  runAsNonRoot: true\n"))
    assert (found.outcome, found.place.path, found.place.start) == (Outcome.HOLDS, "chart/values.yaml", 2)


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("securityContext: {{- toYaml .Values.securityContext | nindent 12 }}", Outcome.HOLDS),
        ("securityContext: {privileged: {{ .Values.privileged }}}", Outcome.HOLDS),
        ("securityContext: {privileged: {{ .Values.on }}}", Outcome.FAILS),
        ('securityContext: {privileged: {{ include "api.privileged" . }}}', Outcome.UNKNOWN),
    ],
)
def test_values_in_a_line_are_put_in(line: str, expected: Outcome) -> None:
    template = f"""
apiVersion: v1
kind: Pod
metadata: {{name: api}}
spec:
  containers:
    - name: api
      image: contoso/api
      {line}
"""
    values = "privileged: false\non: true\nsecurityContext: {privileged: false}"
    assert outcome("not-privileged", chart(values, template)) is expected


def test_what_a_helper_may_add_is_unknown() -> None:
    template = TEMPLATE.replace(
        "{{- toYaml .Values.securityContext | nindent 12 }}", '{{- include "s" . | nindent 12 }}'
    )
    assert outcome("no-privilege-escalation", chart(SPARE, template)) is Outcome.UNKNOWN


def test_a_template_that_cannot_be_rendered_is_unknown() -> None:
    broken = "kind: Deployment\nspec:\n  containers:\n {{ .Values.a }}\n      - [\n"
    assert outcome("run-as-non-root", chart("", broken)) is Outcome.UNKNOWN


GUARDED = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: api}
spec:
  template:
    spec:
      containers:
        - name: api
          image: contoso/api:1
          {{- if %s }}
          securityContext:
            capabilities: {add: [SYS_PTRACE]}
          {{- else }}
          securityContext:
            capabilities: {drop: [ALL]}
          {{- end }}
"""
DEBUG = "debug: {enabled: false, level: info}\nnames: [a]\n"


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ("eq .Values.debug.enabled true", Outcome.HOLDS),
        ("eq .Values.debug.enabled false", Outcome.FAILS),
        ('ne .Values.debug.level "info"', Outcome.HOLDS),
        ('eq .Values.debug.level "trace" "info"', Outcome.FAILS),
        ("and .Values.names (not .Values.debug.enabled)", Outcome.FAILS),
        ("or .Values.debug.enabled .Values.absent", Outcome.HOLDS),
        ('and .Values.debug.enabled (semverCompare ">1" .Chart.Version)', Outcome.HOLDS),
        ("empty .Values.names", Outcome.HOLDS),
        ("$.Values.names", Outcome.FAILS),
        ('include "api.hardened" .', Outcome.UNKNOWN),
        ('or .Values.debug.enabled (.Capabilities.APIVersions.Has "v1")', Outcome.UNKNOWN),
        ('eq .Values.global.mode "debug"', Outcome.UNKNOWN),
        (".Values.names | len", Outcome.UNKNOWN),
        ("and (", Outcome.UNKNOWN),
    ],
)
def test_a_condition_is_worked_out_or_hides_what_it_guards(condition: str, expected: Outcome) -> None:
    assert outcome("drop-all-capabilities", chart(DEBUG, GUARDED % condition)) is expected


def test_what_is_hidden_says_nothing_of_other_keys() -> None:
    template = GUARDED.replace(
        "          {{- if %s }}\n",
        '          {{- if include "x" . }}\n          ports: []\n          {{- end }}\n          {{- if true }}\n',
    )
    assert outcome("drop-all-capabilities", chart(DEBUG, template)) is Outcome.FAILS


def test_a_chart_knows_what_the_one_above_it_sets_for_it() -> None:
    inner = {
        path.replace("chart/", "all/charts/api/"): text
        for path, text in chart("on: false\n", GUARDED % "eq .Values.global.mode .Values.own").items()
    }
    for given, expected in (
        ("global: {mode: a}\napi: {own: a}\n", Outcome.FAILS),
        ("global: {mode: a}\n", Outcome.HOLDS),
    ):
        above = {"all/Chart.yaml": "apiVersion: v2\nname: all\n", "all/values.yaml": given}
        assert outcome("drop-all-capabilities", {**inner, **above}) is expected


@pytest.mark.parametrize(
    ("own", "dependency", "key", "expected"),
    [
        ("geo", "", "geo", Outcome.FAILS),
        ("geo", "", "shop-geo", Outcome.HOLDS),
        ("geo", "dependencies: [{name: geo, alias: maps}]\n", "maps", Outcome.FAILS),
        ("geo", "dependencies: [{name: geo, alias: maps}]\n", "geo", Outcome.HOLDS),
    ],
)
def test_a_chart_is_called_by_its_name_or_alias_in_the_values_above(
    own: str, dependency: str, key: str, expected: Outcome
) -> None:
    inner = {
        path.replace("chart/", "all/charts/shop-geo/"): text
        for path, text in chart("on: false\n", GUARDED % 'eq .Values.own "a"').items()
    }
    inner["all/charts/shop-geo/Chart.yaml"] = f"apiVersion: v2\nname: {own}\n"
    above = {
        "all/Chart.yaml": f"apiVersion: v2\nname: all\n{dependency}",
        "all/values.yaml": f"{key}: {{own: a}}\n",
    }
    assert outcome("drop-all-capabilities", {**inner, **above}) is expected


def test_actions_and_comments_that_are_never_closed_do_not_hold_up_the_others() -> None:
    rendered = RenderedLines(Mapping(0))
    rendered.take("{{/* a {{ b }} * */}}a: {{- 'b' }}\n" + "{{/* " * 50_000 + "{{" * 50_000 + "\nc: 1")
    assert rendered.lines[0].startswith("a: ")
    assert rendered.lines[-1] == "c: 1"


@pytest.mark.parametrize("written", ["${cloud}", "#{Cloud}#", "__CLOUD__"])
def test_values_that_a_pipeline_fills_in_tell_nothing(written: str) -> None:
    template = """
apiVersion: v1
kind: Pod
metadata: {name: api}
spec:
  containers:
    - name: api
      image: contoso/api
      env:
        - name: MODE
          value: fast
        {{- if eq .Values.cloud "azure" }}
        - name: DB_PASSWORD
          valueFrom: {secretKeyRef: {name: db, key: password}}
        {{- end }}
"""
    assert outcome("runtime-secrets", chart(f"cloud: '{written}'\n", template)) is Outcome.UNKNOWN
    assert outcome("runtime-secrets", chart("cloud: aws\n", template)) is Outcome.HOLDS


def test_an_image_whose_name_is_empty_by_the_values_is_rendered_all_the_same() -> None:
    template = """
apiVersion: v1
kind: Pod
metadata: {name: api}
spec:
  containers:
    - name: api
      image: {{ .Values.registry }}/{{ .Values.name }}:{{ .Values.tag }}
      securityContext: {privileged: true}
"""
    assert outcome("not-privileged", chart("registry:\nname:\ntag:\n", template)) is Outcome.FAILS


@pytest.mark.parametrize("items", ["", "            - name: MODE\n              value: fast\n"])
def test_an_environment_that_a_helper_begins_is_unknown(items: str) -> None:
    template = (
        "apiVersion: v1\nkind: Pod\nmetadata: {name: api}\nspec:\n  containers:\n    - name: api\n"
        '      image: contoso/api\n      env:\n            {{- include "api.database" . | nindent 12 }}\n\n'
    )
    assert outcome("runtime-secrets", chart("", template + items)) is Outcome.UNKNOWN
    assert outcome("not-privileged", chart("", template + items)) is Outcome.HOLDS


QUESTIONS = ("run-as-non-root", "no-privilege-escalation", "not-privileged", "read-only-root", "runtime-secrets")
PLAIN = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: api}
spec:
  template:
    spec:
      containers:
        - name: api
          image: contoso/api:1
"""
BRANCHED = PLAIN.replace(
    "          image: contoso/api:1\n",
    '          {{- if semverCompare ">=1" .Chart.AppVersion }}\n          image: contoso/api:2\n'
    "          {{- else }}\n          image: contoso/api:1\n          {{- end }}\n",
)
WHOLLY = PLAIN + (
    '        {{- if semverCompare ">=1" .Chart.AppVersion }}\n        - name: proxy\n'
    "          image: contoso/proxy:1\n"
    "        {{- end }}\n"
)
INCLUDED = {
    "a container": PLAIN + '        {{- include "common.sidecar" . | nindent 8 }}\n',
    "all containers": PLAIN[: PLAIN.index("        - name")]
    + '        {{- include "common.all" . | nindent 8 }}\n',
    "a pod": PLAIN[: PLAIN.index("      containers")] + '      {{- include "common.pod" . | nindent 6 }}\n',
    "a workload": '{{- include "common.deployment" . }}\n',
    "a workload of a branch": '{{- if .Values.on }}\n{{ template "common.workload" . }}\n{{- end }}\n',
}


def test_a_container_whose_image_stands_in_a_branch_is_judged() -> None:
    (found,) = findings("run-as-non-root", chart("", BRANCHED))
    assert (found.outcome, found.subject) == (Outcome.FAILS, "Deployment/api (chart chart) · container api")


@pytest.mark.parametrize("check", QUESTIONS)
def test_a_container_that_stands_in_a_branch_is_judged_and_fails_nothing(check: str) -> None:
    found = [each for each in findings(check, chart("", WHOLLY)) if each.place.start > 9]
    outcomes = [Outcome.HOLDS if check in {"not-privileged", "runtime-secrets"} else Outcome.UNKNOWN]
    assert [each.outcome for each in found] == outcomes
    assert [each.place.start for each in found] == [11]
    assert found[0].subject == "Deployment/api (chart chart) · container proxy"


PRIVILEGED = """\
        - name: agent
          image: contoso/agent:1
          securityContext: {privileged: true}
"""
OTHER = PRIVILEGED.replace("agent", "other").replace("true", "false")


def _in_branches(*branches: str) -> str:
    """The containers of a pod behind the one that is always there."""
    return PLAIN + "".join(f"        {each}\n" if each.startswith("{{") else each for each in branches)


@pytest.mark.parametrize(
    ("template", "values"),
    [
        (_in_branches("{{- if .Values.debug }}", PRIVILEGED, "{{- end }}"), "debug: false\n"),
        (_in_branches("{{- if .Values.debug }}", PRIVILEGED, "{{- end }}"), ""),
        (_in_branches("{{- if not .Values.quiet }}", PRIVILEGED, "{{- end }}"), "quiet: true\n"),
        (_in_branches('{{- if eq .Release.Name "a" }}', PRIVILEGED, "{{- end }}"), ""),
        (_in_branches("{{- if .Values.a }}", OTHER, "{{- else }}", PRIVILEGED, "{{- end }}"), "a: true\n"),
        (_in_branches("{{- if .Release.IsInstall }}", OTHER, "{{- else }}", PRIVILEGED, "{{- end }}"), ""),
        (
            _in_branches("{{- if .Values.a }}", OTHER, "{{- else if .Values.b }}", PRIVILEGED, "{{- end }}"),
            "a: true\n",
        ),
        (_in_branches("{{- range .Values.agents }}", PRIVILEGED, "{{- end }}"), "agents: []\n"),
        (_in_branches("{{- with .Values.agent }}", PRIVILEGED, "{{- end }}"), "agent: {}\n"),
        (
            _in_branches("{{- if .Values.a }}", "{{- if .Values.b }}", PRIVILEGED, "{{- end }}", "{{- end }}"),
            "a: true\nb: false\n",
        ),
        ("{{- if .Values.on }}" + _in_branches(PRIVILEGED) + "{{- end }}\n", "on: false\n"),
        ("{{- with .Values.agent }}" + _in_branches(PRIVILEGED) + "{{- end }}\n", ""),
        ("{{- range .Values.agents }}\n---" + _in_branches(PRIVILEGED) + "{{- end }}\n", ""),
    ],
)
def test_a_privileged_container_of_a_branch_that_the_values_do_not_take_is_told(template: str, values: str) -> None:
    found = [each for each in findings("not-privileged", chart(values, template)) if "agent" in each.subject]
    assert [each.outcome for each in found] == [Outcome.UNKNOWN]
    assert found[0].message.startswith("it is privileged, where the template takes the branch")
    line = template.lstrip("\n").splitlines()[found[0].place.start - 1]
    assert line.strip() == "securityContext: {privileged: true}"


def test_a_branch_that_the_values_take_is_judged_once() -> None:
    template = _in_branches("{{- if .Values.debug }}", PRIVILEGED, "{{- end }}")
    found = list(findings("not-privileged", chart("debug: true\n", template)))
    assert [each.outcome for each in found] == [Outcome.HOLDS, Outcome.FAILS]


def test_a_pod_of_a_branch_is_asked_what_pods_are_asked() -> None:
    pod = PLAIN.replace("      containers:", "      hostNetwork: true\n      containers:")
    template = "{{- if .Values.on }}" + pod + "{{- end }}\n"
    assert outcome("no-host-namespaces", chart("on: false\n", template)) is Outcome.UNKNOWN
    assert outcome("no-host-namespaces", chart("on: true\n", template)) is Outcome.FAILS


@pytest.mark.parametrize("check", QUESTIONS)
@pytest.mark.parametrize("what", INCLUDED)
def test_what_a_library_puts_in_is_one_unknown_for_each_question(what: str, check: str) -> None:
    found = findings(check, chart("on: true\n", INCLUDED[what]))
    unread = [each for each in found if "is not read" in each.message]
    assert [each.outcome for each in unread] == [Outcome.UNKNOWN]
    assert unread[0].place.path == "chart/templates/deployment.yaml"
    template = INCLUDED[what].lstrip("\n").splitlines()
    assert "common." in template[unread[0].place.start - 1]


def test_a_pod_that_a_library_puts_in_is_unknown_to_the_checks_of_pods() -> None:
    assert outcome("no-host-namespaces", chart("", INCLUDED["a workload"])) is Outcome.UNKNOWN


@pytest.mark.parametrize("name", ["common.service", "common.serviceAccount", "api.configmap", "common.hpa"])
def test_a_library_that_runs_nothing_by_its_name_is_not_asked(name: str) -> None:
    files = {"chart/Chart.yaml": "name: api\n", "chart/templates/x.yaml": f'{{{{- include "{name}" . }}}}\n'}
    assert findings("run-as-non-root", files) == ()


def test_what_a_helper_makes_for_each_that_an_installation_names_is_unknown() -> None:
    template = """{{- range $key, $each := .Values.components -}}
{{ include "deployment.tpl" $each | nindent 0 }}
{{ "---" | nindent 0 }}
{{ include "netpol.tpl" $each | nindent 0 }}
{{- end -}}
"""
    found = findings("run-as-non-root", chart("", template))
    assert [(each.outcome, each.place.start) for each in found] == [(Outcome.UNKNOWN, 2)]


def test_what_the_values_switch_off_is_not_asked() -> None:
    assert findings("run-as-non-root", chart("on: false\n", INCLUDED["a workload of a branch"])) == ()


def test_containers_of_a_range_are_judged_by_what_can_be_seen() -> None:
    ranged = PLAIN.replace(
        "        - name: api\n", "        {{- range .Values.apps }}\n        - name: {{ .name }}\n"
    )
    ranged = ranged.replace("contoso/api:1\n", "{{ .image }}\n        {{- end }}\n")
    assert outcome("run-as-non-root", chart("apps: [{name: a, image: b}]\n", ranged)) is Outcome.FAILS


@pytest.mark.parametrize(
    ("name", "count"),
    [("deployment.yaml.tpl", 1), ("deployment.tpl", 1), ("api.gotmpl", 1), ("_api.yaml", 0), ("NOTES.txt", 0)],
)
def test_every_template_is_rendered_whatever_it_ends_in(name: str, count: int) -> None:
    files = chart(SPARE)
    files[f"chart/templates/{name}"] = files.pop("chart/templates/deployment.yaml")
    assert len(findings("run-as-non-root", files)) == count
    assert tells_of_practices(f"chart/templates/{name}") is bool(count) or name == "_api.yaml"


HOOK = 'annotations: {"helm.sh/hook": test}'


@pytest.mark.parametrize(("metadata", "expected"), [(HOOK, Outcome.NOT_APPLICABLE), ("", Outcome.FAILS)])
def test_what_only_a_test_of_the_chart_runs_is_told_apart(metadata: str, expected: Outcome) -> None:
    lines = ["apiVersion: v1", "kind: Pod", "metadata:", "  name: try", *([f"  {metadata}"] if metadata else [])]
    lines += ["spec:", "  containers:", "    - name: try", "      image: contoso/try:1"]
    files = {"chart/Chart.yaml": "name: shop\n", "chart/templates/tests/try.yaml": "\n".join(lines) + "\n"}
    (found,) = findings("read-only-root", files)
    assert (found.outcome, found.place.path) == (expected, "chart/templates/tests/try.yaml")


def test_a_volume_in_a_branch_that_only_a_rendering_decides_is_unknown() -> None:
    template = """
        apiVersion: apps/v1
        kind: StatefulSet
        metadata: {name: shop}
        spec:
          template:
            spec:
              containers:
                - name: shop
                  image: contoso/shop:1
        {{- if eq .Release.Name "a" }}
                  volumeMounts:
                    - {name: data, mountPath: /data}
        {{- end }}
        {{- if eq .Release.Name "a" }}
          volumeClaimTemplates:
            - metadata: {name: data}
        {{- end }}
    """
    assert outcome(
        "volume-ownership", {"chart/Chart.yaml": "name: shop\n", "chart/templates/a.yaml": template}
    ) is (Outcome.UNKNOWN)


@pytest.mark.parametrize("value", ['required "it is needed" .Values.tag', ".Values.tag | required `it is needed`"])
def test_a_value_that_is_required_is_read(value: str) -> None:
    template = TEMPLATE.replace(".Values.image.tag | default .Chart.AppVersion", value)
    (found,) = findings("no-latest-deployed", chart('image: {repository: contoso/api}\ntag: "8.1"\n', template))
    assert found.outcome is Outcome.HOLDS


@pytest.mark.parametrize(
    ("version", "expected"), [("0.0.0", Outcome.UNKNOWN), ("0.0.0-dev", Outcome.UNKNOWN), ("1.0.0", Outcome.FAILS)]
)
def test_a_version_that_no_release_has_is_one_that_a_release_fills_in(version: str, expected: Outcome) -> None:
    files = chart("image: {repository: contoso/api, tag: ''}\n")
    files["chart/Chart.yaml"] += f"appVersion: {version}\n"
    assert outcome("deployed-by-digest", files) is expected


def test_a_helper_puts_in_no_context_that_the_template_has_already() -> None:
    template = """\
        apiVersion: apps/v1
        kind: Deployment
        metadata: {name: api}
        spec:
          template:
            spec:
              {{- include "shop.pullSecrets" . | nindent 6 }}
              securityContext:
                {{- toYaml .Values.podSecurityContext | nindent 8 }}
              containers:
                - name: api
                  image: contoso/api:1
                  securityContext:
                    {{- toYaml .Values.securityContext | nindent 12 }}
    """
    files = {
        "chart/Chart.yaml": "apiVersion: v2\nname: shop\nversion: 1.0.0\n",
        "chart/values.yaml": "securityContext: {}\npodSecurityContext: {}\n",
        "chart/templates/api.yaml": template,
    }
    (found,) = findings("seccomp-profile", files)
    assert found.outcome is Outcome.FAILS


@pytest.mark.parametrize(
    "kind",
    [
        "{{ if .Values.sts }}StatefulSet{{ else }}Deployment{{ end }}",
        '{{ include "shop.kind" . }}',
        "{{ $kind }}",
        "CloneSet",
    ],
)
def test_what_lists_containers_where_pods_do_is_asked_whatever_its_kind(kind: str) -> None:
    template = _in_branches(PRIVILEGED).replace("kind: Deployment", f"kind: {kind}")
    found = [each for each in findings("not-privileged", chart("", template)) if each.outcome is Outcome.FAILS]
    name = kind if kind.isalpha() else "Workload"
    assert [each.subject for each in found] == [f"{name}/api (chart chart) · container agent"]


SECURED = "          securityContext: {privileged: true, capabilities: {add: [SYS_ADMIN]}}\n"


@pytest.mark.parametrize("check", ["not-privileged", "no-added-capabilities"])
def test_a_security_context_in_a_branch_that_only_a_rendering_decides_is_no_claim(check: str) -> None:
    template = f"{PLAIN}          {{{{- if .Release.IsInstall }}}}\n{SECURED}          {{{{- end }}}}\n"
    assert outcome(check, chart("", template)) is Outcome.UNKNOWN


def test_host_namespaces_in_a_branch_that_only_a_rendering_decides_are_no_claim() -> None:
    branch = "      {{- if .Release.IsInstall }}\n      hostNetwork: true\n      {{- end }}\n      containers:\n"
    assert outcome("no-host-namespaces", chart("", PLAIN.replace("      containers:\n", branch))) is Outcome.UNKNOWN


def test_branches_that_cannot_be_rendered_are_told() -> None:
    broken = PRIVILEGED.replace("contoso/agent:1", "[contoso")
    template = _in_branches("{{- if .Values.debug }}", broken, "{{- end }}")
    (told,) = [each for each in findings("not-privileged", chart("", template)) if each.outcome is Outcome.UNKNOWN]
    assert told.message == "the branches that the chart's own values do not take cannot be rendered here"


def test_a_template_that_cannot_be_rendered_and_calls_for_a_pod_is_told() -> None:
    template = PLAIN[: PLAIN.index("      containers")] + '      {{- include "shop.pod" . | nindent 6 }}\n  - [\n'
    assert outcome("not-privileged", chart("", template)) is Outcome.UNKNOWN


@pytest.mark.parametrize(
    ("defaults", "values", "expected"),
    [
        (".Values.other", "other: '8.1'\n", Outcome.HOLDS),
        (".Values.other | default .Values.third", "other: ''\nthird: '8.1'\n", Outcome.HOLDS),
        ('.Values.other | default (include "shop.version" nil)', "other: ''\n", Outcome.UNKNOWN),
        (".Values.other | default .Chart.AppVersion", "other: ''\n", Outcome.UNKNOWN),
    ],
)
def test_the_first_default_that_is_not_empty_counts(defaults: str, values: str, expected: Outcome) -> None:
    template = TEMPLATE.replace(".Chart.AppVersion }}", f"{defaults} }}}}")
    (found,) = findings(
        "no-latest-deployed", chart(f"image: {{repository: contoso/api, tag: ''}}\n{values}", template)
    )
    assert found.outcome is expected
    assert "no image reference" not in found.message


def test_a_secret_that_a_template_puts_among_arguments_is_not_said_to_be_written_out() -> None:
    template = PLAIN + "          args: ['--password', '{{ $password }}']\n"
    (found,) = findings("runtime-secrets", chart("", template))
    assert (found.outcome, found.message) == (Outcome.FAILS, "the value of --password comes into its arguments")


def test_a_branch_that_brings_another_key_leaves_no_setting_open() -> None:
    template = """
        apiVersion: v1
        kind: Pod
        metadata: {name: api}
        spec:
          containers:
            - name: api
              image: contoso/api:8
              {{- if eq .Release.Name "shop" }}
              volumeMounts: [{name: data, mountPath: /data}]
              {{- end }}
    """
    files = {"c/Chart.yaml": "name: c\n", "c/values.yaml": "a: 1\n", "c/templates/api.yaml": template}
    for check in ("run-as-non-root", "drop-all-capabilities", "read-only-root"):
        assert outcome(check, files) is Outcome.FAILS
