"""Images that nothing here makes and no table of ours has: advice is what to try, and nothing is patched."""

import pytest

from bot.domain.repositories.finding import Finding, Fix, Outcome
from tests.unit.files.audit.world import DEPLOYMENT, deployment, findings

CLAIM = "volumes: [{name: data, persistentVolumeClaim: {claimName: data}}]"
MOUNT = "volumeMounts: [{name: data, mountPath: /data}]"
HARDENING = ("run-as-non-root", "no-privilege-escalation", "drop-all-capabilities", "read-only-root")
OF_OTHERS = (
    "contoso/api:1.0",
    "dpage/other:9",
    "ghcr.io/someone/broker",
    "python:3.12-slim",
    "node:22",
    "busybox",
    "mcr.microsoft.com/azure-storage/azurite:3.35.0",
    "registry.k8s.io/ingress-nginx/controller:v1.12.1",
    "${REGISTRY}/api:${TAG}",
)
KNOWN = ("mcr.microsoft.com/dotnet/aspnet:10.0", "postgres:17", "redis:8", "memcached:1.6", "grafana/loki:3.5.0")
FORMS = ("", "user: '4711'", "command: sh -c 'apk add curl && run'", "cap_add: [SYS_NICE]", "entrypoint: sudo run")


def of_service(check: str, image: str, *lines: str, more: dict[str, str] | None = None) -> tuple[Finding, ...]:
    text = "\n".join(["services:", "  app:", f"    image: '{image}'", *(f"    {line}" for line in lines)]) + "\n"
    return findings(check, {"compose.yaml": text, **(more or {})})


def fixes(found: tuple[Finding, ...]) -> list[Fix]:
    return [each.fix for each in found if each.outcome is Outcome.FAILS and each.fix is not None]


@pytest.mark.parametrize("image", OF_OTHERS)
@pytest.mark.parametrize("check", HARDENING)
def test_an_image_that_is_not_known_is_told_what_to_try_and_what_shows_that_it_fails(
    check: str, image: str
) -> None:
    told = fixes(findings(check, {DEPLOYMENT: deployment(image=f"'{image}'")}))
    for lines in FORMS:
        told += fixes(of_service(check, image, *filter(None, [lines])))
    assert told
    for each in told:
        assert each.advice.startswith("try to ")
        assert "in its log, shows that it needs more" in each.advice
        assert not each.edits
        assert not each.suggested


@pytest.mark.parametrize("image", KNOWN)
@pytest.mark.parametrize("check", HARDENING)
def test_an_image_that_is_known_is_told_what_to_do(check: str, image: str) -> None:
    told = fixes(findings(check, {DEPLOYMENT: deployment(image=image)}))
    told += fixes(of_service(check, image))
    assert all(not each.advice.startswith("try to ") for each in told)


MADE_HERE = {
    "app/Dockerfile": "FROM mcr.microsoft.com/dotnet/aspnet:10.0\nCOPY app /app\n",
    "other/compose.yaml": "services:\n  app:\n    image: contoso/app\n    build: {context: ../app}\n",
}
OF_THE_SDK = {
    "app/App.csproj": "<Project Sdk='Microsoft.NET.Sdk.Web'><PropertyGroup>"
    "<TargetFramework>net10.0</TargetFramework>"
    "<ContainerRepository>contoso/app</ContainerRepository></PropertyGroup></Project>\n"
}
ON_ANOTHER = {
    "base/Dockerfile": "FROM mcr.microsoft.com/dotnet/aspnet:10.0\n",
    "app/Dockerfile": "FROM contoso/base\nCOPY app /app\n",
    "other/compose.yaml": "services:\n  base:\n    image: contoso/base\n    build: {context: ../base}\n"
    "  app:\n    image: contoso/app\n    build: {context: ../app}\n",
}
ON_NODE = {**MADE_HERE, "app/Dockerfile": "FROM node:22\nUSER node\nCOPY app /app\n"}


@pytest.mark.parametrize(
    ("files", "is_known"), [(MADE_HERE, True), (OF_THE_SDK, True), (ON_ANOTHER, True), (ON_NODE, False)]
)
@pytest.mark.parametrize("check", ["drop-all-capabilities", "no-privilege-escalation", "read-only-root"])
def test_an_image_that_is_built_here_is_known_where_it_stands_on_dotnet(
    check: str, files: dict[str, str], *, is_known: bool
) -> None:
    told = fixes(of_service(check, "contoso/app:1", more=files))
    assert told
    for each in told:
        assert each.advice.startswith("try to ") is not is_known
        assert bool(each.edits or each.suggested) is is_known


@pytest.mark.parametrize("image", OF_OTHERS)
def test_the_group_of_its_files_and_what_it_is_given_are_tried_too(image: str) -> None:
    told = fixes(findings("volume-ownership", {DEPLOYMENT: deployment(MOUNT, CLAIM, f"'{image}'")}))
    told += fixes(of_service("no-added-capabilities", image, "cap_add: [SYS_NICE]"))
    added = "securityContext: {capabilities: {add: [SYS_NICE]}}"
    told += fixes(findings("no-added-capabilities", {DEPLOYMENT: deployment(added, image=f"'{image}'")}))
    assert [each.advice[:7] for each in told] == ["try to "] * 3


def test_a_program_that_is_built_as_it_starts_is_given_no_user() -> None:
    dockerfile = 'FROM mcr.microsoft.com/dotnet/sdk:10.0\nCOPY . /src\nENTRYPOINT ["dotnet", "watch", "run"]\n'
    for lines, text in (
        ("", dockerfile),
        ("    command: dotnet run\n", dockerfile.replace("ENTRYPOINT", "LABEL a=")),
    ):
        files = {"compose.yaml": f"services:\n  api:\n    build: .\n{lines}", "Dockerfile": text}
        (told,) = fixes(findings("run-as-non-root", files))
        assert "dotnet publish" in told.advice
        assert not told.suggested
    for lines in ("command: [dotnet, watch]", "args: [sh, -c, 'cd src && dotnet run']"):
        (told,) = fixes(findings("run-as-non-root", {DEPLOYMENT: deployment(lines)}))
        assert "dotnet publish" in told.advice
        assert not told.suggested
