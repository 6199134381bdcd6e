"""What is suggested behind pushes is valid together, and runs just where its push does."""

import re
from itertools import chain, product

import pytest
import yaml
from hypothesis import given

from bot.domain.repositories.finding import Finding
from bot.files.audit.auditing import audit
from bot.files.audit.splicing.keys import with_edits
from bot.files.audit.workflows.expressions import evaluated, truth
from tests.unit.files.audit.expressions import expressions
from tests.unit.files.audit.world import BUILD, NOW, PUSH, texts, workflow

GRANTED = "permissions: {contents: read, packages: write, id-token: write, attestations: write}"
IMAGES = ("Contoso/${{ github.actor }}/api", "Contoso/${{ github.actor }}/web", "Contoso/${{ github.actor }}/web")
BY_METADATA = """
- uses: docker/metadata-action@v5
  id: meta-{number}
  with: {{images: 'ghcr.io/{name}'}}
- uses: docker/build-push-action@v6
  with:
    push: true
    tags: ${{{{ steps.meta-{number}.outputs.tags }}}}
"""
BY_NAME = """
- uses: docker/build-push-action@v6
  with:
    push: true
    tags: ghcr.io/contoso/{name}:8
"""
SEVERAL = [
    "".join(BY_METADATA.format(name=name, number=number) for number, name in enumerate(IMAGES)),
    "".join(BY_NAME.format(name=name) for name in ("api", "web", "web", "${{ github.actor }}")),
    BY_NAME.format(name="api")
    + "- run: echo\n  id: build\n- run: echo\n  id: build-api\n"
    + BY_NAME.format(name="b"),
    BY_METADATA.format(name=IMAGES[0], number=0),
]


def suggested(steps: str) -> tuple[dict[str, bytes], list[Finding]]:
    files = texts({BUILD: workflow("- uses: docker/setup-buildx-action@v3\n" + steps, job=GRANTED)})
    found = [each for each in audit(files, NOW) if each.fix is not None and each.fix.suggested]
    return files, [each for each in found if each.check in {"image-scanned", "image-signed", "slsa-level"}]


@pytest.mark.parametrize("steps", SEVERAL)
def test_all_that_is_suggested_for_one_job_is_valid_together(steps: str) -> None:
    files, found = suggested(steps)
    assert len(found) == 3 * steps.count("build-push-action")
    edits = list(dict.fromkeys(chain.from_iterable(each.fix.suggested for each in found if each.fix is not None)))
    text = with_edits(files, edits)[BUILD].decode()
    names = [each["id"] for each in yaml.safe_load(text)["jobs"]["build"]["steps"] if "id" in each]
    assert sorted(names) == sorted(set(names))
    assert {*re.findall(r"steps\.([\w-]+)\.", text)} <= {*names}
    assert re.search(r"\n +id: [^\n]+\n +id: ", text) is None


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (("push: true", "push: ${{ secrets.TOKEN != '' }}"), "hangs on secrets"),
        (("  id: build\n", "  id: build\n  env: {PUSH: 'true'}\n"), "environment of its own"),
        (("  id: build\n", "  id: build\n  continue-on-error: true\n"), "may fail without ending the run"),
    ],
)
def test_nothing_is_suggested_behind_a_push_that_a_step_could_not_tell(change: tuple[str, str], why: str) -> None:
    steps = PUSH.replace(*change)
    steps = steps.replace("push: true", "push: ${{ env.PUSH }}") if "PUSH" in change[1] else steps
    files = texts({BUILD: workflow(steps)})
    (finding,) = [each for each in audit(files, NOW) if each.check == "image-signed"]
    assert finding.fix is not None
    assert finding.fix.suggested == ()
    assert why in finding.fix.left_alone


@given(expressions(), expressions())
def test_what_is_suggested_runs_just_where_its_push_does(condition: str, flag: str) -> None:
    pushing = PUSH.replace("push: true", f"push: ${{{{ {flag} }}}}").replace(
        "  id: build\n", f"  id: build\n  if: ${{{{ {condition} }}}}\n"
    )
    files = texts({BUILD: workflow(pushing)})
    for finding in audit(files, NOW):
        if finding.check not in {"image-scanned", "image-signed", "slsa-level"} or finding.fix is None:
            continue
        if not finding.fix.suggested:
            continue
        steps = yaml.safe_load(with_edits(files, finding.fix.suggested)[BUILD].decode())["jobs"]["build"]["steps"]
        for a, c in product(("true", "false", "", "x"), ("true", "false")):
            values = {"env.a": a, "env.b": "false", "inputs.c": c, "matrix.d": "true"}
            pushes = truth(condition, values) is True and (evaluated(flag, values) or "").lower() == "true"
            assert {truth(each["if"], values) for each in steps[2:]} <= {pushes}


@pytest.mark.parametrize("check", ["image-signed", "slsa-level"])
@pytest.mark.parametrize("dash", ["-\n  uses:", "- # what is pushed\n\n  uses:"])
def test_steps_stand_behind_one_whose_dash_is_alone_on_its_line(dash: str, check: str) -> None:
    files = texts({BUILD: workflow(PUSH.replace("- uses:", dash) + "- run: echo done\n")})
    (fix,) = [each.fix for each in audit(files, NOW) if each.check == check]
    assert fix is not None
    assert fix.suggested, fix.left_alone
    steps = yaml.safe_load(with_edits(files, fix.suggested)[BUILD].decode())["jobs"]["build"]["steps"]
    pushed = next(place for place, step in enumerate(steps) if "build-push-action" in step.get("uses", ""))
    assert steps[-1] == {"run": "echo done"}
    assert pushed < len(steps) - 2


RIGHTS = ("", "permissions: {contents: read, packages: write}", "permissions:\n  contents: read\n  packages: write")


@pytest.mark.parametrize("job", RIGHTS)
@pytest.mark.parametrize("top", RIGHTS)
def test_rights_that_are_suggested_for_one_job_are_written_once(job: str, top: str) -> None:
    files = texts({BUILD: workflow("- uses: docker/setup-buildx-action@v3\n" + SEVERAL[1], job=job, top=top)})
    found = [each.fix for each in audit(files, NOW) if each.check in {"image-signed", "slsa-level"}]
    edits = list(dict.fromkeys(edit for fix in found if fix is not None for edit in fix.suggested))
    text = with_edits(files, edits)[BUILD].decode()
    for right in ("id-token: write", "attestations: write", "contents: read"):
        assert text.partition("jobs:")[2].count(right) == 1


ATTESTED = "- uses: actions/attest-build-provenance@v3\n"
CALLED = ".github/workflows/called.yml"
CALLING = (
    "on: {push: {branches: [main]}}\npermissions: RIGHTS\njobs:\n  call: {uses: ./.github/workflows/called.yml}\n"
)


@pytest.mark.parametrize(
    ("triggers", "granted", "why"),
    [
        ("push: {branches: [main]}\nworkflow_call:", "{contents: read}", f"{BUILD} calls it, and has to grant it"),
        ("push: {branches: [main]}\nworkflow_call:", "{contents: read, packages: write, id-token: write}", ""),
        ("workflow_call:", "", "others call it, and have to grant it id-token: write"),
        ("push: {branches: [main]}", "", ""),
    ],
)
def test_no_rights_are_suggested_beyond_those_that_callers_grant(triggers: str, granted: str, why: str) -> None:
    files = {CALLED: workflow(PUSH + ATTESTED, triggers, job="permissions: {contents: read, packages: write}")}
    if granted:
        files[BUILD] = CALLING.replace("RIGHTS", granted)
    signing = [each for each in audit(texts(files), NOW) if each.check == "image-signed"]
    (fix,) = [each.fix for each in signing if each.subject.startswith("job build ")]
    assert fix is not None
    assert why in fix.left_alone
    assert bool(fix.suggested) is (not why)


RELEASE = ".github/workflows/release.yml"
NEEDED = "contents: read, packages: write, id-token: write"


@pytest.mark.parametrize(
    ("granted", "told"),
    [
        ("{contents: read}", f"{BUILD}, {RELEASE} call it, and have to grant it {NEEDED}"),
        (
            "{contents: write, packages: write}",
            f"{BUILD} calls it, and has to grant it {NEEDED}; {RELEASE} calls it, and has to grant it contents: w",
        ),
        ("{contents: read, packages: write, id-token: write}", f"{BUILD} calls it, and has to grant it {NEEDED}"),
    ],
)
def test_each_caller_is_told_the_rights_that_its_own_call_needs(granted: str, told: str) -> None:
    calling = CALLING.replace("permissions: RIGHTS\n", "")
    files = {
        CALLED: workflow(PUSH, "workflow_call:"),
        BUILD: calling,
        RELEASE: CALLING.replace("RIGHTS", granted).replace("branches: [main]", "tags: ['v*']"),
    }
    fix = next(each.fix for each in audit(texts(files), NOW) if each.check == "image-signed")
    assert fix is not None
    assert fix.left_alone.startswith(told)


def test_a_caller_keeps_what_its_call_has_granted_until_now() -> None:
    release = "- run: gh release create v1\n"
    files = {
        CALLED: workflow(PUSH + release, "workflow_call:"),
        BUILD: CALLING.replace("RIGHTS", "{contents: write, packages: write}"),
    }
    (fix,) = [each.fix for each in audit(texts(files), NOW) if each.check == "image-signed"]
    assert fix is not None
    assert fix.left_alone.endswith("has to grant it contents: write, packages: write, id-token: write")
