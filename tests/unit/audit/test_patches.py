"""What could be done about findings is shown as diffs of the texts at hand."""

import pytest

from bot.audit.auditing import audit
from bot.audit.patches import patches
from bot.audit.splices import applied
from bot.domain.repositories.finding import Finding, Outcome
from tests.unit.audit.world import BUILD, DEPLOYMENT, NOW, PUSH, deployment, texts, workflow

COMPOSE = "services:\n  api:\n    build: .  # ours\n"
DOCKERFILE = 'FROM mcr.microsoft.com/dotnet/aspnet:8.0 AS base\nFROM base\nCOPY app /app\n\nENTRYPOINT ["dotnet"]\n'
FILES = texts({DEPLOYMENT: deployment(), "compose.yaml": COMPOSE, "Dockerfile": DOCKERFILE, BUILD: workflow(PUSH)})


def found(check: str, path: str) -> Finding:
    (finding,) = [each for each in audit(FILES, NOW) if (each.check, each.place.path) == (check, path)]
    return finding


@pytest.mark.parametrize(
    ("check", "path", "lines"),
    [
        ("drop-all-capabilities", DEPLOYMENT, ["securityContext:", "capabilities:", "drop: [ALL]"]),
        ("run-as-non-root", DEPLOYMENT, ["securityContext:", "runAsNonRoot: true"]),
        ("seccomp-profile", DEPLOYMENT, ["securityContext:", "seccompProfile:", "type: RuntimeDefault"]),
        ("drop-all-capabilities", "compose.yaml", ["cap_drop: [ALL]"]),
        ("no-privilege-escalation", "compose.yaml", ["security_opt: [no-new-privileges:true]"]),
        ("read-only-root", "compose.yaml", ["read_only: true", "tmpfs: [/tmp]"]),
        ("run-as-non-root", "compose.yaml", ["user: '1654'"]),
        ("image-user", "Dockerfile", ["USER $APP_UID"]),
        ("sbom", BUILD, ["sbom: true"]),
    ],
)
def test_a_patch_adds_these_lines_and_makes_the_check_hold(check: str, path: str, lines: list[str]) -> None:
    finding = found(check, path)
    assert finding.fix is not None
    patch = patches(FILES, [finding])[finding]
    assert [line[1:].strip() for line in patch.splitlines() if line[0] == "+" and line[:3] != "+++"] == lines
    assert [line for line in patch.splitlines() if line[0] == "-" and line[:3] != "---"] == []
    after = audit(applied(FILES, finding.fix.edits or finding.fix.suggested), NOW)
    outcomes = {each.outcome for each in after if (each.check, each.place.path) == (check, path)}
    assert outcomes == {Outcome.HOLDS}


def test_without_the_texts_there_is_no_patch() -> None:
    assert patches({}, audit(FILES, NOW)) == {}
