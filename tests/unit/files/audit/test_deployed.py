"""What is deployed: by which name, and with which token."""

import pytest

from bot.domain.repositories.finding import Outcome
from tests.unit.files.audit.world import BUILD, DEPLOYMENT, deployment, findings, outcome, outcomes, workflow

HOLDS, FAILS, UNKNOWN = Outcome.HOLDS, Outcome.FAILS, Outcome.UNKNOWN
DIGEST = "sha256:" + "a" * 64
ACCOUNT = "serviceAccountName: api"


@pytest.mark.parametrize(
    ("image", "latest", "by_digest"),
    [
        ("contoso/api", [FAILS], []),
        ("contoso/api:latest", [FAILS], []),
        ("contoso/api:8.1", [HOLDS], [FAILS]),
        (f"contoso/api@{DIGEST}", [HOLDS], [HOLDS]),
        (f"contoso/api:latest@{DIGEST}", [HOLDS], [HOLDS]),
        ("contoso/api:${TAG}", [UNKNOWN], [UNKNOWN]),
        ("contoso/api:__TAG__", [UNKNOWN], [UNKNOWN]),
        ("localhost:5000/api", [FAILS], []),
        ("ghcr.io/OWNER/api:8.1", [HOLDS], [FAILS]),
    ],
)
def test_what_is_deployed_is_named(image: str, latest: list[Outcome], by_digest: list[Outcome]) -> None:
    files = {DEPLOYMENT: deployment(image=image)}
    assert outcomes("no-latest-deployed", files) == latest
    assert outcomes("deployed-by-digest", files) == by_digest


@pytest.mark.parametrize(
    ("entry", "latest", "by_digest"),
    [
        ("newTag: '8.1'", [HOLDS], [FAILS]),
        (f"digest: {DIGEST}", [HOLDS], [HOLDS]),
        ("newTag: latest", [FAILS], []),
        (f"newName: ghcr.io/contoso/api, digest: '{DIGEST}'", [HOLDS], [HOLDS]),
    ],
)
def test_a_kustomization_names_the_image_that_is_deployed(
    entry: str, latest: list[Outcome], by_digest: list[Outcome]
) -> None:
    kustomization = f"resources: [api.yaml]\nimages:\n  - {{name: contoso/api, {entry}}}\n"
    files = {"deploy/kustomization.yaml": kustomization, DEPLOYMENT: deployment(image="contoso/api")}
    assert outcomes("no-latest-deployed", files) == latest
    assert outcomes("deployed-by-digest", files) == by_digest


def stages(**images: str) -> dict[str, str]:
    """A base with an overlay for each stage, by its entry of `images`."""
    overlays = {
        f"{stage}/kustomization.yaml": f"resources: [../base]\nimages: [{entry}]\n"
        for stage, entry in images.items()
    }
    base = {"base/kustomization.yaml": "resources: [api.yaml]", "base/api.yaml": deployment(image="contoso/api")}
    return base | overlays


def test_an_overlay_names_the_images_of_its_own_rendering_alone() -> None:
    files = stages(
        dev="{name: contoso/api, newTag: latest}",
        prod=f"{{name: contoso/api, digest: '{DIGEST}'}}",
        other="{name: contoso/other, newTag: '1'}",
    )
    found = {
        each.subject.partition("(")[2].partition(")")[0]: each for each in findings("no-latest-deployed", files)
    }
    assert {stage: each.outcome for stage, each in found.items()} == {"dev": FAILS, "prod": HOLDS, "other": FAILS}
    assert found["prod"].message == f"contoso/api@{DIGEST} names a digest"


def test_the_entry_that_names_an_image_is_the_place_to_change() -> None:
    files = stages(dev="{name: contoso/other, newTag: '1'}", prod="{name: contoso/api, newTag: '8.1'}")
    latest, tagged = sorted(findings("no-latest-deployed", files), key=lambda each: each.outcome)
    assert (latest.place.path, tagged.place.path) == ("base/api.yaml", "prod/kustomization.yaml")
    (found,) = findings("deployed-by-digest", files)
    assert (found.place.path, found.place.start) == ("prod/kustomization.yaml", 2)


SKAFFOLD = """
apiVersion: skaffold/v4beta11
kind: Config
build:
  artifacts:
    - image: api
      context: src/api
manifests:
  rawYaml: [deploy/*.yaml]
"""


@pytest.mark.parametrize(
    ("image", "expected"), [("api", UNKNOWN), ("api:8.1", UNKNOWN), ("web", FAILS), ("contoso/api", FAILS)]
)
def test_what_skaffold_builds_is_named_by_what_it_built(image: str, expected: Outcome) -> None:
    files = {DEPLOYMENT: deployment(image=image), "skaffold.yaml": SKAFFOLD}
    (found,) = findings("no-latest-deployed", files)
    assert found.outcome is expected
    assert outcomes("deployed-by-digest", files) == ([UNKNOWN] if expected is UNKNOWN else [])


def test_an_image_that_a_base_renames_is_known_by_its_new_name_above() -> None:
    files = stages(prod="{name: ghcr.io/contoso/api, newTag: '8.1'}", dev="{name: contoso/api, newTag: '8.1'}")
    files["base/kustomization.yaml"] += "\nimages: [{name: contoso/api, newName: ghcr.io/contoso/api}]"
    found = {each.outcome: each.message for each in findings("no-latest-deployed", files)}
    assert found[HOLDS] == "ghcr.io/contoso/api:8.1 names a tag"
    assert found[FAILS].startswith("ghcr.io/contoso/api is whatever latest is")


def test_what_a_patch_names_comes_behind_the_images_of_the_base() -> None:
    files = stages(prod="{name: contoso/other, newTag: '1'}")
    files["base/kustomization.yaml"] += "\nimages: [{name: contoso/api, newTag: '8.1'}]"
    spec = "spec: {template: {spec: {containers: [{name: api, image: contoso/api:latest}]}}}"
    patch = f"{{apiVersion: apps/v1, kind: Deployment, metadata: {{name: api}}, {spec}}}"
    files["prod/kustomization.yaml"] += f"patches:\n  - patch: |\n      {patch}\n"
    (found,) = findings("no-latest-deployed", files)
    assert (found.outcome, found.message.split()[0]) == (FAILS, "contoso/api:latest")


def test_the_images_of_a_component_count_for_what_takes_it() -> None:
    files = stages(prod="")
    files["prod/kustomization.yaml"] += "components: [../pinned]\n"
    files["pinned/kustomization.yaml"] = (
        f"kind: Component\nimages: [{{name: contoso/api, newTag: '8.1', digest: '{DIGEST}'}}]\n"
    )
    assert outcomes("deployed-by-digest", files) == [HOLDS]


def test_what_an_overlay_leaves_to_be_filled_in_is_unknown() -> None:
    assert outcomes("no-latest-deployed", stages(prod="{name: contoso/api, newTag: TAG_NAME}")) == [UNKNOWN]


@pytest.mark.parametrize(("image", "check"), [("api", "no-latest-deployed"), ("api:8.1", "deployed-by-digest")])
def test_what_is_never_pulled_is_not_asked_by_which_name(image: str, check: str) -> None:
    for policy, expected in (("Never", Outcome.NOT_APPLICABLE), ("IfNotPresent", FAILS)):
        files = {DEPLOYMENT: deployment(f"imagePullPolicy: {policy}", image=image)}
        assert outcomes(check, files) == [expected]


def test_a_name_that_a_workflow_sets_when_it_deploys_is_unknown() -> None:
    steps = "- run: kubectl set image deployment/api api=contoso/api:${{ github.sha }}\n"
    files = {DEPLOYMENT: deployment(image="contoso/api"), BUILD: workflow(steps)}
    assert outcome("no-latest-deployed", files) is UNKNOWN


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        ("kubectl set image deployment/api api=contoso/api:$TAG", UNKNOWN),
        ("kubectl -n shop set image deployment api api=contoso/api:$TAG", UNKNOWN),
        ("oc set image dc/web deploy/api web=contoso/api:$TAG", UNKNOWN),
        ("kubectl set image deployment/$NAME $NAME=contoso/api:$TAG", UNKNOWN),
        ("kubectl set image --all deployments x=contoso/api:$TAG", UNKNOWN),
        ("kustomize edit set image contoso/api=contoso/api:$TAG", UNKNOWN),
        ("sed -i s/image:.*/image:$TAG/ api.yaml", UNKNOWN),
        ("kubectl set image deployment/web web=contoso/web:$TAG", FAILS),
        ("kubectl set image deployment/api-web web=contoso/web:$TAG --record", FAILS),
    ],
)
def test_only_the_workload_that_a_command_names_may_get_its_tag_from_it(command: str, expected: Outcome) -> None:
    files = {DEPLOYMENT: deployment(image="contoso/api"), "deploy.sh": f"{command}\n"}
    assert outcome("no-latest-deployed", files) is expected


def account(text: str) -> dict[str, str]:
    return {"deploy/account.yaml": text}


BINDING = """
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: api}
subjects: [{kind: ServiceAccount, name: api}]
roleRef: {kind: Role, name: api}
"""
WITHOUT = "apiVersion: v1\nkind: ServiceAccount\nmetadata: {name: api}\nautomountServiceAccountToken: false\n"


@pytest.mark.parametrize(
    ("pod", "beside", "expected"),
    [
        ("", {}, FAILS),
        ("automountServiceAccountToken: false", {}, HOLDS),
        ("automountServiceAccountToken: true", {}, FAILS),
        (ACCOUNT, {}, UNKNOWN),
        (ACCOUNT, account(BINDING), HOLDS),
        (ACCOUNT, account(WITHOUT), HOLDS),
        (f"{ACCOUNT}\nautomountServiceAccountToken: true", account(WITHOUT), UNKNOWN),
        ("", account(BINDING), FAILS),
        ("", account(BINDING.replace("name: api}]", "name: default}]")), UNKNOWN),
        ("serviceAccountName: default", account(BINDING.replace("name: api}]", "name: default}]")), UNKNOWN),
        ("automountServiceAccountToken: false", account(BINDING.replace("name: api}]", "name: default}]")), HOLDS),
    ],
)
def test_a_pod_gets_no_token_that_it_does_not_need(pod: str, beside: dict[str, str], expected: Outcome) -> None:
    assert outcome("service-account-token", {DEPLOYMENT: deployment(pod=pod), **beside}) is expected


def test_an_account_that_mounts_no_token_is_not_said_to_need_it() -> None:
    files = {DEPLOYMENT: deployment(pod=ACCOUNT), **account(f"{WITHOUT}---{BINDING}")}
    (found,) = findings("service-account-token", files)
    assert (found.outcome, found.message) == (HOLDS, "its account api mounts no token")


def test_a_patch_takes_the_token_away() -> None:
    (found,) = findings("service-account-token", {DEPLOYMENT: deployment()})
    assert found.fix is not None
    assert "automountServiceAccountToken: false" in found.fix.suggested[0].text


def _annotated(*annotations: str) -> dict[str, str]:
    lines = "\n".join(f"        {each}" for each in annotations)
    text = deployment().replace("  template:\n", f"  template:\n    metadata:\n      annotations:\n{lines}\n")
    return {DEPLOYMENT: text}


@pytest.mark.parametrize(
    ("annotations", "expected"),
    [
        (['dapr.io/enabled: "true"'], UNKNOWN),
        (['dapr.io/enabled: "false"'], FAILS),
        (['dapr.io/enabled: "true"', 'dapr.io/disable-builtin-k8s-secret-store: "true"'], FAILS),
        (['vault.hashicorp.com/agent-inject: "true"'], UNKNOWN),
        (
            [
                'vault.hashicorp.com/agent-inject: "true"',
                "vault.hashicorp.com/agent-service-account-token-volume-name: token",
            ],
            FAILS,
        ),
        (['vault.security.banzaicloud.io/vault-addr: "https://vault:8200"'], UNKNOWN),
        (['kuma.io/sidecar-injection: "enabled"'], UNKNOWN),
        (['consul.hashicorp.com/connect-inject: "true"'], UNKNOWN),
        (['prometheus.io/scrape: "true"'], FAILS),
    ],
)
def test_a_token_that_a_sidecar_put_beside_the_program_reads_is_not_said_to_be_unused(
    annotations: list[str], expected: Outcome
) -> None:
    assert outcome("service-account-token", _annotated(*annotations)) is expected


def test_what_would_do_without_the_token_of_dapr_is_said() -> None:
    (found,) = findings("service-account-token", _annotated('dapr.io/enabled: "true"'))
    assert "dapr.io/disable-builtin-k8s-secret-store" in found.settled_by


CHART = {"chart/Chart.yaml": "apiVersion: v2\nname: shop\nversion: 1.0.0\n"}


@pytest.mark.parametrize(("tag", "latest"), [("latest", FAILS), ("'8.1'", HOLDS)])
@pytest.mark.parametrize("loop", ["range $name, $one := .Values.services", "range $one := $services"])
def test_a_tag_that_the_values_tell_is_known_where_the_name_is_not(loop: str, tag: str, latest: Outcome) -> None:
    image = '"{{ $.Values.image.registry }}/{{ $one.name }}:{{ $.Values.image.tag }}"'
    files = {
        **CHART,
        "chart/values.yaml": f"image: {{registry: contoso, tag: {tag}}}\nservices: {{api: {{name: api}}}}\n",
        "chart/templates/all.yaml": f"{{{{- {loop} }}}}\n---\n{deployment(image=image)}\n{{{{- end }}}}\n",
    }
    (found,) = findings("no-latest-deployed", files)
    assert found.outcome is latest
    assert "hidden" not in found.message


SED = "- run: |\n    {command}\n    kubectl apply -f deploy/\n"


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        ('sed -i "s|contoso/api:latest|contoso.azurecr.io/api:$TAG|g" deploy/api.yaml', UNKNOWN),
        ("sed -i -e 's/:latest/:8/' deploy/api.yaml", UNKNOWN),
        ("yq -i '.spec.template.spec.containers[0].image = strenv(I)' deploy/api.yaml", UNKNOWN),
        ("sed -i 's/a/b/' README.md", FAILS),
        ("sed -i 's/namespace: a/namespace: b/' deploy/*.yaml", FAILS),
        ("sed -i 's|other/api:latest|new.azurecr.io/contoso/api:8|' charts/api.yaml", FAILS),
        ("cd deploy && sed -i 's/:latest/:8/' *.yaml", UNKNOWN),
        ("grep contoso/api:latest deploy/api.yaml", FAILS),
    ],
)
def test_a_tag_that_a_command_writes_anew_before_the_deploy_is_unknown(command: str, expected: Outcome) -> None:
    files = {DEPLOYMENT: deployment(image="contoso/api:latest"), BUILD: workflow(SED.format(command=command))}
    assert outcome("no-latest-deployed", files) is expected


def test_a_tag_of_values_that_a_command_writes_anew_is_unknown() -> None:
    files = {
        **CHART,
        "chart/values.yaml": "tag: latest\n",
        "chart/templates/api.yaml": deployment(image='"contoso/api:{{ .Values.tag }}"'),
        BUILD: workflow('- run: sed -i -E "s/tag:.*/tag: $N/" chart/values.yaml\n'),
    }
    assert outcome("no-latest-deployed", files) is UNKNOWN


PROJECTED = """
volumes:
- name: {name}
  projected:
    sources:
    - serviceAccountToken: {{path: token, expirationSeconds: 3600}}
{setting}
"""
USUAL = "/var/run/secrets/kubernetes.io/serviceaccount"


@pytest.mark.parametrize(
    ("name", "at", "setting", "expected"),
    [
        ("token", USUAL, "", Outcome.HOLDS),
        ("token", f"{USUAL}/", "automountServiceAccountToken: true", Outcome.HOLDS),
        ("token", "/var/run/secrets/tokens", "", Outcome.UNKNOWN),
        ("token", "/var/run/secrets/tokens", "automountServiceAccountToken: false", Outcome.HOLDS),
        ("kube-api-access-x7k2p", USUAL, "", Outcome.FAILS),
    ],
)
def test_a_token_that_a_pod_asks_for_itself_is_a_use_of_it(
    name: str, at: str, setting: str, expected: Outcome
) -> None:
    mounts = f"volumeMounts: [{{name: {name}, mountPath: '{at}'}}]"
    text = deployment(mounts, PROJECTED.format(name=name, setting=setting))
    assert outcome("service-account-token", {DEPLOYMENT: text}) is expected


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        ("helm package . --app-version $VERSION\n", Outcome.UNKNOWN),
        ("# helm package . --app-version $VERSION\n", Outcome.FAILS),
        ('  # sed -i "s/^appVersion:.*/appVersion: $VERSION/" chart/Chart.yaml\n', Outcome.FAILS),
        ('sed -i "s/^appVersion:.*/appVersion: $VERSION/" chart/Chart.yaml\n', Outcome.UNKNOWN),
        ("helm package .\n", Outcome.FAILS),
    ],
)
def test_a_version_of_the_chart_that_a_release_writes_is_none_yet(script: str, expected: Outcome) -> None:
    chart = {
        "chart/Chart.yaml": "name: shop\nversion: 0.0.1\nappVersion: 0.0.1\n",
        "chart/values.yaml": "image: {tag: ''}\n",
        "chart/templates/api.yaml": deployment(
            image="'contoso/api:{{ default .Chart.AppVersion .Values.image.tag }}'"
        ),
    }
    assert outcomes("deployed-by-digest", {**chart, "release.sh": script}) == [expected]


@pytest.mark.parametrize(
    ("image", "tag"),
    [
        ("'contoso/api:{{ default .Chart.AppVersion .Values.image.tag }}'", "0.0.1"),
        ("'contoso/api:{{ .Values.image.tag }}'", "0.0.1"),
        ("contoso/api:0.0.1", ""),
    ],
)
def test_a_tag_that_a_chart_writes_itself_is_not_its_version_though_it_reads_the_same(image: str, tag: str) -> None:
    chart = {
        "chart/Chart.yaml": "name: shop\nversion: 0.0.1\nappVersion: 0.0.1\n",
        "chart/values.yaml": f"image: {{tag: '{tag}'}}\n",
        "chart/templates/api.yaml": deployment(image=image),
        "release.sh": "helm package . --app-version $VERSION\n",
    }
    assert outcomes("deployed-by-digest", chart) == [Outcome.FAILS]


def test_an_entry_of_images_may_name_one_tag() -> None:
    files = stages(prod="{name: local, newName: busybox}")
    files["base/api.yaml"] = deployment(image="busybox:1.36.1")
    files["base/kustomization.yaml"] += "\nimages: [{name: 'busybox:1.36.1', newName: local, newTag: latest}]"
    (found,) = findings("no-latest-deployed", files)
    assert (found.outcome, "busybox:latest" in found.message) == (FAILS, True)
    other = {**files, "base/api.yaml": deployment(image="busybox:1.37")}
    assert outcomes("no-latest-deployed", other) == [HOLDS]


@pytest.mark.parametrize(
    ("rendered", "is_told"),
    [
        ("  kustomize: {paths: [dev]}", True),
        ("  kustomize: {paths: [prod]}", False),
        ("  kustomize: {paths: [prod]}\ndeploy: {kubectl: {}}", False),
        ("  kustomize: {paths: [prod]}\ndeploy: {helm: {releases: []}}", True),
        ("  kustomize: {}", False),
    ],
)
def test_skaffold_names_images_in_what_it_renders_alone(rendered: str, *, is_told: bool) -> None:
    files = stages(dev="{name: contoso/api, newTag: '8.1'}")
    files["skaffold.yaml"] = SKAFFOLD.replace("image: api", "image: contoso/api").replace(
        "  rawYaml: [deploy/*.yaml]", rendered
    )
    (found,) = findings("deployed-by-digest", files)
    assert (found.outcome is UNKNOWN, "Skaffold" in found.message) == (is_told, is_told)


TILT = """
docker_build_with_restart('contoso/api', context='dev', dockerfile='dev/Dockerfile')
# docker_build('contoso/web', '.')
"""


@pytest.mark.parametrize(
    ("deploys", "image", "expected"),
    [
        ("k8s_yaml('deploy/api.yaml')", "contoso/api", UNKNOWN),
        ("k8s_yaml(['deploy/api.yaml', 'deploy/web.yaml'])", "contoso/api:8.1", UNKNOWN),
        ("k8s_yaml(helm('chart'))", "contoso/api", UNKNOWN),
        ("k8s_yaml(kustomize('dev'))", "contoso/api", FAILS),
        ("k8s_yaml('dev/api.yaml')", "contoso/api", FAILS),
        ("k8s_yaml('deploy/api.yaml')", "contoso/web", FAILS),
    ],
)
def test_what_tilt_builds_is_named_by_what_it_built(deploys: str, image: str, expected: Outcome) -> None:
    files = {DEPLOYMENT: deployment(image=image), "Tiltfile": f"{TILT}{deploys}\n"}
    (found,) = findings("no-latest-deployed", files)
    assert (found.outcome, "Tilt" in found.message) == (expected, expected is UNKNOWN)


@pytest.mark.parametrize("kustomize", ["{paths: [.]}", "{}"])
def test_skaffold_renders_the_kustomization_beside_it(kustomize: str) -> None:
    files = {
        "kustomization.yaml": "resources: [api.yaml]\n",
        "api.yaml": deployment(image="contoso/api:8.1"),
        "other/web.yaml": deployment(image="contoso/api:8.1"),
        "skaffold.yaml": SKAFFOLD.replace("image: api", "image: contoso/api").replace(
            "rawYaml: [deploy/*.yaml]", f"kustomize: {kustomize}"
        ),
    }
    told = {each.place.path: each.outcome for each in findings("deployed-by-digest", files)}
    assert told == {"api.yaml": UNKNOWN, "other/web.yaml": FAILS}


def test_a_tag_that_a_script_writes_into_kustomizations_is_unknown() -> None:
    files = stages(dev="{name: contoso/api, newTag: '8.1'}")
    files["deploy.sh"] = "yq -i '.images[0].newTag = strenv(TAG)' dev/kustomization.yaml\n"
    (found,) = findings("deployed-by-digest", files)
    assert (found.outcome, found.message) == (UNKNOWN, "a workflow or script may set its tag")
    other = "yq -i '(.images[] | select(.name == \"contoso/other\").newTag) = strenv(TAG)' dev/kustomization.yaml\n"
    assert outcomes("deployed-by-digest", {**files, "deploy.sh": other}) == [FAILS]


def test_a_name_that_octopus_fills_in_before_kustomize_runs_is_unknown() -> None:
    files = {
        "kustomization.yaml": "resources: [api.yaml]\nimages:\n  - name: busybox\n"
        "    newName: #{Project.Image.Name}\n    newTag: #{Project.Image.Tag}\n",
        "api.yaml": deployment(image="busybox"),
    }
    assert outcomes("no-latest-deployed", files) == [UNKNOWN]
    plain = {**files, "kustomization.yaml": files["kustomization.yaml"].replace("#{", "# {")}
    assert outcomes("no-latest-deployed", plain) == [FAILS]
