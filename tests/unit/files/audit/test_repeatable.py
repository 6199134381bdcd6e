"""What of a run a schedule may do again: only what is known to do no more than build, test and push images."""

import pytest

from bot.files.audit.delivery.repeatable import not_repeatable
from bot.files.audit.repository import RepositoryTexts
from bot.files.audit.workflows.flattening import pipelines
from tests.unit.files.audit.world import BUILD, PUSH, workflow


def unknown_of(step: str, **files: str) -> str:
    texts = {path.replace("_sh", ".sh"): text.encode() for path, text in files.items()}
    repository = RepositoryTexts({BUILD: workflow(PUSH + step).encode(), **texts})
    (pipeline,) = pipelines(repository)
    return next((what for each in pipeline.steps if (what := not_repeatable(repository, each))), "")


@pytest.mark.parametrize(
    "run",
    [
        "dotnet restore && dotnet test --no-restore",
        "dotnet nuget add source https://nuget.contoso.com",
        'docker compose -f build.yml build\n    docker push "$IMAGE"',
        'TAG=$(git describe --tags); echo "tag=$TAG" >> $GITHUB_OUTPUT',
        'if [ -n "$TAG" ]; then docker buildx build --push . ; fi',
        "git tag --list",
        "curl -sSfL -o syft.tgz https://contoso.com/syft.tgz",
        "curl -X GET https://contoso.com",
        "curl -sXGET https://contoso.com/version",
        "curl -G -d q=1 https://contoso.com",
        "gh api repos/contoso/api/releases/latest --jq .tag_name",
        "aws s3 cp --quiet s3://contoso/a.zip .",
        "az acr login --name contoso",
        "Write-Host done",
        "pnpm run build",
        "git diff-tree --no-commit-id --name-only -r HEAD",
        'emit() {\n      echo "$1=$2" >> "$GITHUB_OUTPUT"\n    }\n    emit a true',
        "sudo apt-get install -y jq",
    ],
)
def test_what_builds_tests_fetches_and_pushes_images_is_repeatable(run: str) -> None:
    assert unknown_of(f"- run: |\n    {run}\n") == ""


@pytest.mark.parametrize(
    ("run", "what"),
    [
        ("dotnet nuget push a.nupkg", "`dotnet nuget push`"),
        ("dotnet ef database update", "`dotnet ef database`"),
        ("git tag v1", "`git tag v1`"),
        ("git push origin v1", "`git push origin`"),
        ("gh release create v1", "`gh release create`"),
        ("curl -X POST https://contoso.com", "`curl -X POST`"),
        ("curl -XDELETE https://contoso.com", "`curl -XDELETE https://contoso.com`"),
        ("curl -sX POST https://contoso.com", "`curl -sX POST`"),
        ("curl -X DELETE -G https://contoso.com", "`curl -X DELETE`"),
        ("Invoke-RestMethod -Method:Post a", "`Invoke-RestMethod -Method:Post a`"),
        ("curl -sX POST https://contoso.com || exit 1", "`curl -sX POST`"),
        ("gh api repos/contoso/api/dispatches -f event_type=a", "`gh api repos/contoso/api/dispatches`"),
        ("curl -d @a.json https://contoso.com", "`curl -d @a.json`"),
        ("curl --upload-file a https://contoso.com", "`curl --upload-file a`"),
        ("curl ${{ inputs.options }} https://contoso.com", "`curl https://contoso.com`"),
        ("${{ inputs.program }} push", "a command that only a run knows"),
        ("docker -H ssh://web stack deploy", "`docker -H ssh://web`"),
        ("docker stack deploy web", "`docker stack deploy`"),
        ("az container create --name web", "`az container create`"),
        ("aws s3 cp a.zip s3://contoso", "`aws s3 cp`"),
        ("make release", "`make release`"),
        ("npm run release", "`npm run release`"),
        ("./release.exe", "`./release.exe`"),
        ('"$PROGRAM" push', "a command that only a run knows"),
        ("pnpm run release", "`pnpm run release`"),
        ("ship() {\n      gh release create v1\n    }\n    ship", "`gh release create`"),
    ],
)
def test_what_is_not_known_is_named(run: str, what: str) -> None:
    assert unknown_of(f"- run: |\n    {run}\n") == what


@pytest.mark.parametrize(
    ("run", "what"),
    [
        ("$ErrorActionPreference = 'Stop'\n    \"version=1\" | Out-File -FilePath $env:GITHUB_OUTPUT -Append", ""),
        ('$n = 1\n    $env:A = $n\n    [string]$s = "a" # why\n    $list = @()\n    dotnet build', ""),
        ("$id = docker build -q .\n    docker push contoso/api", ""),
        ("$id = az container create --name web", "`az container create`"),
        ("$v = ${{ github.ref }} -replace 'refs/heads/',''", "a script of PowerShell that is not read whole"),
        ("$v = [regex]::Replace($t, 'a', { $m.Value })", "a script of PowerShell that is not read whole"),
        ("$ErrorActionPreference = 'Stop'\n    gh release create v1", "`gh release create`"),
    ],
)
def test_what_powershell_gives_a_variable_is_no_command(run: str, what: str) -> None:
    assert unknown_of(f"- shell: pwsh\n  run: |\n    {run}\n") == what
    if not what.endswith("whole"):
        assert unknown_of("- run: ./a.ps1\n", **{"a.ps1": run}) == (what and "`./a.ps1`")


@pytest.mark.parametrize(
    "run",
    [
        "& az container create",
        "$x = 'a' | az container create",
        "'a' | az container create",
        "$x = $(az container create)",
        "$x = @(az container create)",
        "$x = 'a'; az container create",
        "$x = 'a' + (az container create)",
        "[void](az container create)",
        "if ($true) { az container create }",
        "try { az container create } catch { }",
        "$w = { az container create }; & $w",
        "$s = @'\n    text\n    '@\n    az container create",
        "iex 'az container create'",
    ],
)
def test_no_command_of_powershell_is_lost_in_what_a_variable_is_given(run: str) -> None:
    told = unknown_of(f"- shell: pwsh\n  run: |\n    {run}\n")
    assert told in {
        "`az container create`",
        "`iex az container create`",
        "a script of PowerShell that is not read whole",
    }


def test_a_command_is_named_in_words_that_stand_there() -> None:
    assert unknown_of("- run: |\n    A=release\n    $A = push\n") == "a command that only a run knows"


@pytest.mark.parametrize("action", ["actions/checkout", "docker/login-action", "sigstore/cosign-installer"])
def test_an_action_that_sets_up_or_pushes_is_repeatable(action: str) -> None:
    assert unknown_of(f"- uses: {action}@v4\n") == ""


@pytest.mark.parametrize(
    "action", ["softprops/action-gh-release", "Azure/static-web-apps-deploy", "ncipollo/release-action"]
)
def test_any_other_action_is_named(action: str) -> None:
    assert unknown_of(f"- uses: {action}@v1\n") == action.lower()


def test_what_an_action_is_given_to_run_is_read_too() -> None:
    step = "- uses: azure/cli@v2\n  with: {inlineScript: az container create --name web}\n"
    assert unknown_of(step) == "`az container create`"


def test_a_script_of_the_repository_is_known_by_its_commands() -> None:
    step = "- run: ./build.sh\n"
    assert unknown_of(step, build_sh="docker build --push .\n") == ""
    assert unknown_of(step, build_sh="docker build --push .\ngh release create v1\n") == "`./build.sh`"
    assert unknown_of(step) == "`./build.sh`"
