"""Workloads that a proposal leaves as they run: what is decided, what needs a right, what a cluster keeps."""

import pytest

from bot.domain.repositories.finding import Fix, Outcome
from tests.unit.files.audit.world import DEPLOYMENT, context, deployment, findings, outcome

ESCALATION = "no-privilege-escalation"
POD = "apiVersion: v1\nkind: Pod\nmetadata: {name: debug}\nspec:\n  containers:\n    - name: a\n      image: b\n"
GENERATED = "generateName: migrate-"
NAMED = "name: api"


def job(lines: str = "") -> str:
    return deployment(lines).replace("apps/v1", "batch/v1").replace("Deployment", "Job")


JOB = job()


def fix_of(check: str, manifest: str, path: str = DEPLOYMENT) -> Fix:
    (found,) = findings(check, {path: manifest})
    assert found.fix is not None
    return found.fix


def is_in_words_alone(fix: Fix) -> bool:
    return fix.edits == fix.suggested == ()


# What is decided, or needs the right


def test_a_written_escalation_is_a_decision() -> None:
    lines = context("allowPrivilegeEscalation: true # sudo in the entrypoint")
    assert is_in_words_alone(fix_of(ESCALATION, deployment(lines)))


@pytest.mark.parametrize(
    "lines",
    [
        'command: ["sudo", "-u", "app", "/app/web"]',
        "args: [sh, -c, 'chown app /data && /usr/bin/sudo -u app /app/web']",
        "lifecycle: {postStart: {exec: {command: [sudo, /app/warm]}}}",
        "livenessProbe: {exec: {command: [sudo, /app/check]}}",
    ],
)
def test_what_starts_sudo_keeps_its_escalation(lines: str) -> None:
    fix = fix_of(ESCALATION, deployment(lines))
    assert is_in_words_alone(fix)
    assert "sudo" in fix.advice


@pytest.mark.parametrize("lines", ["command: sudo -u app /app/web", "entrypoint: [sudo, /app/web]"])
def test_a_service_that_starts_sudo_keeps_its_escalation(lines: str) -> None:
    fix = fix_of(ESCALATION, f"services:\n  web:\n    image: contoso/web\n    {lines}\n", "compose.yaml")
    assert is_in_words_alone(fix)
    assert "sudo" in fix.advice


def test_a_name_with_sudo_in_it_starts_none() -> None:
    assert fix_of(ESCALATION, deployment("command: [/app/sudoku]")).edits


@pytest.mark.parametrize(
    "lines",
    [
        "runAsNonRoot: true\ncapabilities: {add: [NET_BIND_SERVICE]}",
        "capabilities: {add: [NET_BIND_SERVICE]}",
        "capabilities: {add: '${CAPABILITIES}'}",
        "capabilities: '${CAPABILITIES}'",
    ],
)
def test_a_capability_that_may_come_from_a_file_is_kept(lines: str) -> None:
    fix = fix_of(ESCALATION, deployment(context(lines)))
    assert is_in_words_alone(fix)
    assert "gets from its file" in fix.advice


def test_root_needs_no_file_for_its_capabilities() -> None:
    lines = context("runAsUser: 0\ncapabilities: {add: [NET_ADMIN]}")
    assert fix_of(ESCALATION, deployment(lines)).edits


# What a cluster does not change


@pytest.mark.parametrize("manifest", [JOB, POD], ids=["Job", "Pod"])
@pytest.mark.parametrize(
    "check", ["run-as-non-root", ESCALATION, "seccomp-profile", "drop-all-capabilities", "read-only-root"]
)
def test_what_a_cluster_changes_no_more_is_left_to_people(check: str, manifest: str) -> None:
    fix = fix_of(check, manifest)
    assert is_in_words_alone(fix)
    assert "until it is deleted" in fix.left_alone


def test_the_token_of_a_job_is_left_to_people() -> None:
    fix = fix_of("service-account-token", JOB)
    assert is_in_words_alone(fix)
    assert "until it is deleted" in fix.left_alone


def test_a_writable_folder_is_not_given_to_a_job() -> None:
    fix = fix_of("read-only-root", job(context("readOnlyRootFilesystem: true")))
    assert is_in_words_alone(fix)


@pytest.mark.parametrize(
    "metadata",
    [
        GENERATED,
        f"{NAMED}\n  annotations: {{helm.sh/hook: pre-upgrade}}",
        f'{NAMED}\n  annotations: {{helm.sh/hook: pre-upgrade, helm.sh/hook-delete-policy: "hook-succeeded"}}',
        f"{NAMED}\n  annotations: {{argocd.argoproj.io/hook: PreSync}}",
        f'{NAMED}\n  annotations: {{argocd.argoproj.io/sync-options: "Force=true,Replace=true"}}',
        f"{NAMED}\n  annotations: {{kustomize.toolkit.fluxcd.io/force: enabled}}",
    ],
)
def test_what_is_made_anew_each_time_gets_its_context(metadata: str) -> None:
    assert fix_of("seccomp-profile", JOB.replace(NAMED, metadata, 1)).edits


@pytest.mark.parametrize(
    "annotations",
    [
        "{helm.sh/hook: pre-upgrade, helm.sh/hook-delete-policy: hook-failed}",
        "{argocd.argoproj.io/sync-options: Replace=true}",
        "{kustomize.toolkit.fluxcd.io/force: disabled}",
    ],
)
def test_what_stays_there_is_left_to_people(annotations: str) -> None:
    manifest = JOB.replace(NAMED, f"{NAMED}\n  annotations: {annotations}", 1)
    assert is_in_words_alone(fix_of("seccomp-profile", manifest))


# What is filled in later


@pytest.mark.parametrize("value", ["${PRIVILEGED}", "$PRIVILEGED", "${PRIVILEGED:=false}", "__PRIVILEGED__"])
@pytest.mark.parametrize("check", ["not-privileged", ESCALATION, "seccomp-profile", "drop-all-capabilities"])
def test_whether_it_is_privileged_is_unknown_where_that_is_filled_in_later(check: str, value: str) -> None:
    (found,) = findings(check, {DEPLOYMENT: deployment(context(f"privileged: {value}"))})
    assert (found.outcome, found.fix) == (Outcome.UNKNOWN, None)
    assert "privileged is filled in" in found.message


def test_what_is_set_holds_whether_it_is_privileged_or_not() -> None:
    lines = context("privileged: ${PRIVILEGED}\nseccompProfile: {type: RuntimeDefault}")
    assert outcome("seccomp-profile", {DEPLOYMENT: deployment(lines)}) is Outcome.HOLDS


def test_what_may_be_privileged_is_not_asked_for_settings_in_one_place() -> None:
    lines = context("privileged: ${PRIVILEGED}")
    files = {f"{name}.yaml": deployment(lines).replace(NAMED, f"name: {name}", 1) for name in "abc"}
    assert findings("shared-hardening", files) == ()


def test_the_secrets_of_a_job_that_a_cluster_keeps_stay_where_they_are() -> None:
    lines = "env:\n  - name: DB_PASSWORD\n    valueFrom: {secretKeyRef: {name: db, key: password}}"
    assert is_in_words_alone(fix := fix_of("runtime-secrets", job(lines)))
    assert "until it is deleted" in fix.left_alone
    assert fix_of("runtime-secrets", deployment(lines)).suggested
    assert fix_of("runtime-secrets", job(lines).replace(NAMED, GENERATED, 1)).suggested
