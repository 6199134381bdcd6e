"""What checks look at and cannot read is unknown, once, with what stands against it."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.repositories.finding import Finding, Outcome
from bot.files.audit.auditing import audit
from bot.files.formats.finding import LARGEST_FILE
from tests.unit.files.audit.world import BUILD, DEPLOYMENT, NOW, PUSH, deployment, texts, workflow

UNKNOWN = Outcome.UNKNOWN
BROKEN = "a: [\n"


def unread(files: dict[str, str] | dict[str, bytes]) -> list[Finding]:
    """What the check says among all findings."""
    encoded = {path: each.encode() if isinstance(each, str) else each for path, each in files.items()}
    return [each for each in audit(encoded, NOW) if each.check == "unread-file"]


@pytest.mark.parametrize("path", ["src/Dockerfile.cs", "tools/Dockerfile.go", "Containerfile.ts"])
def test_a_program_about_dockerfiles_is_none_where_it_begins_no_stage(path: str) -> None:
    program = 'using System;\nclass Dockerfile { string text = "FROM x"; }\n'
    assert not audit({path: program.encode()}, NOW)
    checks = {each.check for each in audit({path: b"FROM golang:1.25\nRUN go build\n"}, NOW)}
    assert "image-user" in checks


@pytest.mark.parametrize(
    ("path", "text"),
    [
        (BUILD, workflow(PUSH) + BROKEN),
        (".github/workflows/lint.yml", workflow("- run: make lint\n") + BROKEN),
        (".github/actions/build/action.yml", "runs:\n  using: composite\n" + BROKEN),
        (DEPLOYMENT, deployment() + BROKEN),
        ("compose.yaml", "services: {api: {build: .}}\n" + BROKEN),
        ("deploy/shop.yaml", "services:\n  api:\n    image: contoso/api\n" + BROKEN),
        ("base/kustomization.yaml", "resources: [api.yaml]\n" + BROKEN),
        ("base/Kustomization", "resources: [api.yaml]\n" + BROKEN),
        ("chart/Chart.yaml", "name: api\n" + BROKEN),
        ("azure-pipelines.yml", "steps:\n- script: make\n" + BROKEN),
        ("build/release.yml", "trigger: [main]\npool: {vmImage: ubuntu-latest}\nsteps:\n- script: make\n" + BROKEN),
        (".github/freshness.yaml", "ignore: []\n" + BROKEN),
    ],
)
def test_what_is_no_yaml_is_unknown_with_its_line_and_the_parsers_reason(path: str, text: str) -> None:
    (found,) = unread({path: text})
    assert (found.outcome, found.place.path) == (UNKNOWN, path)
    assert found.place.start >= text.count("\n")
    assert found.message.startswith("the file is not valid YAML: ")
    assert "\n" not in found.message
    assert found.settled_by


def test_a_compose_file_of_version_1_is_unknown() -> None:
    (found,) = unread({"docker-compose.yml": "db:\n  image: postgres:17\n"})
    assert (found.message, found.place.start) == ("the file is of Compose's version 1", 1)
    assert "under `services:`" in found.settled_by


def test_a_path_with_a_line_break_is_unknown() -> None:
    (found,) = unread({"a\nb/Dockerfile": "FROM debian:13\n", "c\nd/notes.txt": "x"})
    assert (found.place.path, found.subject) == ("a\nb/Dockerfile", "Dockerfile")
    assert "line break" in found.message


def test_values_of_a_chart_that_are_no_yaml_are_unknown() -> None:
    (found,) = unread({"chart/Chart.yaml": "name: api\n", "chart/values.yaml": BROKEN})
    assert found.place.path == "chart/values.yaml"


def test_templates_of_a_chart_need_not_be_yaml() -> None:
    template = "{{- if .Values.on }}\n" + deployment() + "{{- end }}\n"
    assert unread({"chart/Chart.yaml": "name: api\n", "chart/templates/a.yaml": template}) == []


def test_a_manifest_that_is_a_template_outside_of_charts_is_unknown() -> None:
    (found,) = unread({DEPLOYMENT: "{{- if .on }}\n" + deployment() + "{{- end }}\n"})
    assert "template" in found.message


def test_expressions_of_a_workflow_make_no_template_of_it() -> None:
    (found,) = unread({BUILD: workflow("- run: echo ${{ github.ref }}\n") + BROKEN})
    assert found.message.startswith("the file is not valid YAML: ")


@pytest.mark.parametrize(
    "text",
    [
        "FROM mcr.microsoft.com/dotnet/aspnet:10.0\nFRM scratch\n",
        "RUN make\n",
        "FROM debian:13\nRUN <<EOT\nmake\n",
    ],
)
def test_a_dockerfile_that_docker_would_refuse_is_unknown(text: str) -> None:
    (found,) = unread({"Dockerfile": text})
    assert (found.outcome, found.place.path) == (UNKNOWN, "Dockerfile")


@pytest.mark.parametrize(
    ("path", "text"),
    [
        (BUILD, workflow(PUSH)),
        (DEPLOYMENT, deployment()),
        ("compose.yaml", "services: {api: {build: .}}\n"),
        ("Dockerfile", "FROM debian:13\n"),
        ("Jenkinsfile", "sh 'docker push contoso/api'\n"),
        ("main.tf", 'resource "azurerm_container_app" "api" {}\n'),
        ("chart/templates/api.yaml", deployment()),
    ],
)
@pytest.mark.parametrize(
    ("damage", "told"),
    [
        (lambda data: data + b"\n" * LARGEST_FILE, "larger than 1024 KiB"),
        (lambda data: data.decode().encode("utf-16"), "UTF-8"),
        (lambda data: b"# Stra\xdfe\n" + data, "UTF-8"),
        (lambda data: data + b"\0", "UTF-8"),
    ],
)
def test_what_is_no_text_of_a_bearable_size_is_unknown(
    path: str, text: str, damage: Callable[[bytes], bytes], told: str
) -> None:
    (found,) = unread({"chart/Chart.yaml": b"name: api\n", path: damage(text.encode())})
    assert (found.outcome, found.place.path) == (UNKNOWN, path)
    assert told in found.message


def test_what_is_kept_in_git_lfs_is_unknown() -> None:
    (found,) = unread({"Dockerfile": b"version https://git-lfs.github.com/spec/v1\noid sha256:1\nsize 9\n"})
    assert "Git LFS" in found.message


@pytest.mark.parametrize(
    ("path", "text"),
    [
        (BUILD, "- uses: docker/build-push-action@v6\n"),
        (BUILD, "on: push\njobs: []\n"),
        (BUILD, "on: push\n"),
        (BUILD, "on: push\njobs: {build: {steps: {run: make}}}\n"),
        (BUILD, "on: push\njobs: {build: {steps: [make]}}\n"),
        (BUILD, "on: push\njobs: {build: make}\n"),
        (BUILD, workflow(PUSH) + "---\njobs: {}\n"),
        ("compose.yaml", "- api\n"),
        ("base/kustomization.yaml", "- api.yaml\n"),
    ],
)
def test_what_has_not_the_shape_of_its_kind_is_unknown(path: str, text: str) -> None:
    (found,) = unread({path: text})
    assert (found.outcome, found.place.path) == (UNKNOWN, path)


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("tests/api.yaml", deployment() + BROKEN),
        ("compose.dev.yaml", "services: {api: {build: .}}\n" + BROKEN),
        ("mkdocs.yml", BROKEN),
        ("data/list.yaml", BROKEN),
        ("src/Program.cs", "\0"),
        (BUILD, "# all of it is commented out\n"),
        ("base/kustomization.yaml", ""),
    ],
)
def test_what_no_check_looks_at_need_not_be_readable(path: str, text: str) -> None:
    assert unread({path: text}) == []


LINES = workflow(PUSH, job="environment: production").splitlines(keepends=True)
BREAKING = ["a: [", "'", '"', "{{", "*a", "- ]", "%", "@", "---", "...", "x: y", "# x", "", "\t- x: [", "? ", "&a"]


@given(st.sampled_from(BREAKING), st.integers(0, len(LINES)))
def test_a_line_put_into_a_workflow_asks_no_fewer_questions(line: str, at: int) -> None:
    before = audit(texts({BUILD: "".join(LINES)}), NOW)
    found = audit({BUILD: "".join([*LINES[:at], f"{line}\n", *LINES[at:]]).encode()}, NOW)
    asked = {(each.check, each.outcome, each.subject) for each in found}
    assert "unread-file" in {each.check for each in found} or asked == {
        (each.check, each.outcome, each.subject) for each in before
    }


@given(st.sampled_from([b"\0", b"\xff", b"\xc3("]), st.integers(0, len("".join(LINES))))
def test_bytes_that_are_no_text_are_unknown_wherever_they_stand(damage: bytes, at: int) -> None:
    data = "".join(LINES).encode()
    (found,) = unread({BUILD: data[:at] + damage + data[at:]})
    assert found.outcome is UNKNOWN


OVERLAY = {
    "base/kustomization.yaml": "resources: [api.yaml]\n",
    "base/api.yaml": deployment(),
    "prod/kustomization.yaml": "resources: [../base]\npatches: [{path: p.yaml, target: {kind: Deployment}}]\n",
}


def test_a_patch_of_a_kustomization_that_cannot_be_read_is_unknown_and_what_it_may_set_too() -> None:
    files = texts({**OVERLAY, "prod/p.yaml": "- {op: add, path: /x, value: y}\n" + BROKEN})
    found = audit(files, NOW)
    assert [each.place.path for each in found if each.check == "unread-file"] == ["prod/p.yaml"]
    assert {each.outcome for each in found if each.check == "read-only-root"} == {UNKNOWN}


def test_what_a_resource_that_cannot_be_read_may_hold_is_unknown() -> None:
    files = texts({**OVERLAY, "base/web.yaml": deployment() + BROKEN})
    files["base/kustomization.yaml"] = b"resources: [api.yaml, web.yaml]\n"
    found = audit({path: each for path, each in files.items() if not path.startswith("prod/")}, NOW)
    assert [each.place.path for each in found if each.check == "unread-file"] == ["base/web.yaml"]


def test_settings_of_a_chart_whose_values_cannot_be_read_are_unknown() -> None:
    container = "securityContext: {{ toYaml .Values.securityContext }}"
    files = {
        "chart/Chart.yaml": "name: api\n",
        "chart/values.yaml": "securityContext: {readOnlyRootFilesystem: true}\n" + BROKEN,
        "chart/templates/api.yaml": deployment(container.replace("{{", "\n  {{")),
    }
    found = audit(texts(files), NOW)
    assert {each.outcome for each in found if each.check == "read-only-root"} == {UNKNOWN}


def test_a_workflow_without_events_is_unknown() -> None:
    (found,) = unread({BUILD: workflow(PUSH).removeprefix("on:\n").replace("  push: {branches: [main]}\n", "")})
    assert "`on`" in found.message


def test_a_template_of_a_chart_that_is_too_long_to_be_rendered_is_unknown() -> None:
    found = audit(
        texts({"chart/Chart.yaml": "name: api\n", "chart/templates/a.yaml": deployment() + "#\n" * 6_000}), NOW
    )
    assert (UNKNOWN, "chart/templates/a.yaml") in {(each.outcome, each.place.path) for each in found}


@pytest.mark.parametrize(
    ("path", "text", "line"),
    [
        (BUILD, workflow(PUSH) + "jobs: {lint: {uses: ./.github/workflows/lint.yml}}\n", 13),
        (BUILD, workflow(PUSH) + "    steps: []\n", 13),
        ("compose.yaml", "services:\n  api: {build: .}\n  api: {image: contoso/api}\n", 3),
        ("base/kustomization.yaml", "resources: [api.yaml]\nresources: []\n", 2),
    ],
)
def test_a_key_that_stands_twice_is_unknown_as_its_own_tool_refuses_it(path: str, text: str, line: int) -> None:
    (found,) = unread({path: text})
    assert found.message.endswith("stands twice in one mapping")
    assert found.place.start == line


@given(st.data())
def test_a_line_of_a_workflow_that_stands_twice_asks_no_fewer_questions(data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(LINES) - 1))
    before = {(each.check, each.subject) for each in audit({BUILD: "".join(LINES).encode()}, NOW)}
    found = audit({BUILD: "".join([*LINES[: at + 1], *LINES[at:]]).encode()}, NOW)
    asked = {(each.check, each.subject) for each in found}
    assert "unread-file" in {each.check for each in found} or before <= asked


def test_an_action_below_the_folder_of_workflows_is_no_workflow() -> None:
    action = "name: Deploy\nruns:\n  using: composite\n  steps: [{run: make, shell: bash}]\n"
    assert unread({".github/workflows/actions/deploy/action.yml": action}) == []


@pytest.mark.parametrize(
    ("entry", "is_told"),
    [
        ("secrets.yaml", True),
        ("../other", True),
        ("./api.yaml", False),
        ("../base", False),
        ("crds.json", False),
        ("https://example.com/secrets.yaml", False),
        ("github.com/contoso/base/deploy?ref=v1", False),
        ("contoso.example/team/base//deploy", False),
        ("../../../elsewhere", False),
    ],
)
def test_a_kustomization_that_takes_what_is_not_there_is_told(entry: str, *, is_told: bool) -> None:
    files = {
        "run/prod/kustomization.yaml": f"resources: [api.yaml]\ncomponents: []\nbases:\n  - {entry}\n",
        "run/prod/api.yaml": deployment(),
        "run/base/kustomization.yaml": "resources: []\n",
        "run/other/api.yaml": deployment(),
    }
    found = unread(files)
    assert [each.message for each in found] == ([f"it takes {entry}, which is not here"] if is_told else [])
    assert [each.place.start for each in found] == ([4] if is_told else [])


MERGES = "resources: [../base]\nconfigMapGenerator:\n  - {name: shop, behavior: merge, literals: [A=b]}\n"
WRITTEN = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: shop}\n"
IN_NAMESPACE = WRITTEN.replace("name: shop", "name: shop, namespace: shop")
GENERATES = "configMapGenerator:\n  - {name: shop, literals: [A=a]}\n"


@pytest.mark.parametrize(
    ("base", "config", "overlay", "is_told"),
    [
        ("resources: [config.yaml]\n", WRITTEN, MERGES, False),
        ("resources: [config.yaml]\n", IN_NAMESPACE, MERGES, True),
        (
            "resources: [config.yaml]\n",
            IN_NAMESPACE,
            MERGES.replace("name: shop", "name: shop, namespace: shop"),
            False,
        ),
        ("resources: [config.yaml]\nnamespace: shop\n", WRITTEN, MERGES, False),
        (
            "resources: [config.yaml]\nnamespace: shop\n",
            WRITTEN,
            MERGES.replace("shop,", "shop, namespace: shop,"),
            False,
        ),
        (GENERATES, WRITTEN, MERGES, False),
        (GENERATES.replace("shop", "other"), WRITTEN, MERGES, True),
        (GENERATES.replace("configMap", "secret"), WRITTEN, MERGES, True),
        (GENERATES.replace("configMap", "secret"), WRITTEN, MERGES.replace("behavior: merge, ", ""), False),
        ("resources: []\n", WRITTEN, MERGES.replace("merge", "replace"), True),
        ("resources: []\n", WRITTEN, GENERATES + MERGES.partition("configMapGenerator:\n")[2], False),
        ("resources: []\n", WRITTEN, f"kind: Component\n{MERGES}", False),
        ("resources: ['https://example.com/config.yaml']\n", WRITTEN, MERGES, False),
        ("namePrefix: a-\n", WRITTEN, MERGES, False),
        ("generators: [a.yaml]\n", WRITTEN, MERGES, False),
    ],
)
def test_a_generator_that_changes_what_nothing_makes_is_refused(
    base: str, config: str, overlay: str, *, is_told: bool
) -> None:
    files = {"base/kustomization.yaml": base, "base/config.yaml": config, "prod/kustomization.yaml": overlay}
    found = [each for each in unread(files) if each.place.path == "prod/kustomization.yaml"]
    assert [each.message for each in found] == (
        ["a generator changes the ConfigMap shop, which nothing that it takes has"] if is_told else []
    )
