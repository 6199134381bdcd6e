"""Scripts that steps run and builds name, by whatever name of the checkout's folder."""

import pytest

from bot.domain.repositories.finding import Outcome
from tests.unit.files.audit.world import BUILD, PUSH, findings, outcomes, workflow

FAILS, UNKNOWN = Outcome.FAILS, Outcome.UNKNOWN

STARTS = [
    '"$GITHUB_WORKSPACE/ci/check.sh" all',
    "${GITHUB_WORKSPACE}/ci/check.sh",
    "bash $PWD/ci/check.sh",
    "sudo -E bash -eu ci/check.sh all",
    "source ./ci/check.sh",
    ". ci/check.sh",
    "${{ github.workspace }}/ci/check.sh",
    "ROOT=$GITHUB_WORKSPACE\n    $ROOT/ci/check.sh",
]


@pytest.mark.parametrize("start", STARTS)
@pytest.mark.parametrize(("script", "expected"), [("dotnet test\n", FAILS), ("trivy image $1\n", UNKNOWN)])
def test_a_script_of_the_checkout_is_read_whatever_its_folder_is_called(
    start: str, script: str, expected: Outcome
) -> None:
    files = {BUILD: workflow(f"- run: |\n    {start}\n{PUSH}"), "ci/check.sh": script}
    assert outcomes("image-scanned", files) == [expected]


@pytest.mark.parametrize(
    ("script", "expected"),
    [('subprocess.run(["trivy", "image", name])\n', UNKNOWN), ("print(1)\n", FAILS), ("", FAILS)],
)
def test_a_script_of_another_language_may_scan_where_it_names_a_scanner(script: str, expected: Outcome) -> None:
    files = {BUILD: workflow(f"- run: python3 -u ci/images.py\n{PUSH}")} | (
        {"ci/images.py": script} if script else {}
    )
    assert outcomes("image-scanned", files) == [expected]


def test_a_script_in_powershell_is_read_as_well() -> None:
    files = {
        BUILD: workflow(f"- shell: pwsh\n  run: '& \"$env:GITHUB_WORKSPACE/ci/check.ps1\"'\n{PUSH}"),
        "ci/check.ps1": "dotnet test\n",
    }
    assert outcomes("image-scanned", files) == [FAILS]


def test_a_script_beside_an_action_is_read_by_the_action_s_folder() -> None:
    files = {
        BUILD: workflow(f"- uses: ./ci\n{PUSH}"),
        "ci/action.yml": 'runs: {using: composite, steps: [{shell: bash, run: "$GITHUB_ACTION_PATH/check.sh"}]}\n',
        "ci/check.sh": "dotnet test\n",
    }
    assert outcomes("image-scanned", files) == [FAILS]


def test_a_script_in_a_folder_that_only_a_run_knows_may_do_anything() -> None:
    files = {BUILD: workflow(f"- run: $TOOLS/ci/check.sh\n{PUSH}"), "ci/check.sh": "dotnet test\n"}
    assert outcomes("image-scanned", files) == [UNKNOWN]


@pytest.mark.parametrize(
    "step",
    [
        "- uses: docker/build-push-action@v6\n  with: {push: true, tags: 'ghcr.io/contoso/api:8', target: api,"
        " file: '${{ github.workspace }}/web/Dockerfile', context: '${{ github.workspace }}'}\n",
        "- run: docker build --push -t ghcr.io/contoso/api:8 --target api -f $GITHUB_WORKSPACE/web/Dockerfile .\n",
    ],
)
def test_a_dockerfile_is_known_by_the_path_in_the_checkout(step: str) -> None:
    files = {BUILD: workflow(step), "web/Dockerfile": "FROM debian:13 AS api\nFROM debian:13 AS tried\nUSER 1\n"}
    assert [each.subject for each in findings("image-user", files)] == ["stage api"]


@pytest.mark.parametrize(
    ("recipe", "expected"),
    [
        ("docker buildx bake --push api", [UNKNOWN]),
        ("docker buildx bake --set *.output=type=image,push=true", [UNKNOWN]),
        ("docker buildx build -t contoso/api \\\n\t  --push .", [UNKNOWN]),
        ("docker buildx bake api", []),
        ("docker build -t contoso/api .\n\tgit push --push-option=ci.skip", []),
        ("docker build -t contoso/api .\n\t./upload --push", []),
    ],
)
def test_a_push_of_a_makefile_is_told_however_its_command_is_written(recipe: str, expected: list[Outcome]) -> None:
    assert outcomes("unread-delivery", {"Makefile": f"images:\n\t{recipe}\n"}) == expected


def test_the_script_is_named_by_what_runs_it_and_its_path() -> None:
    (found,) = findings("image-scanned", {BUILD: workflow(f"- run: bash -x ../other/check.sh all\n{PUSH}")})
    assert "`bash ../other/check.sh` may run one" in found.message
