"""Repositories of a few lines, and what one check says of them."""

from collections.abc import Mapping
from datetime import UTC, datetime
from textwrap import dedent, indent

from bot.domain.repositories.finding import Finding, Outcome
from bot.files.audit.auditing import audit
from bot.files.audit.rules import BY_CHECK

NOW = datetime(2026, 11, 25, tzinfo=UTC)
BUILD = ".github/workflows/build.yml"
DEPLOYMENT = "deploy/api.yaml"
OF_DOTNET = "mcr.microsoft.com/dotnet/samples:aspnetapp-chiseled"
"""An image whose needs are known, and which runs as a user of its own."""


def texts(files: Mapping[str, str]) -> dict[str, bytes]:
    return {path: dedent(text).lstrip("\n").encode() for path, text in files.items()}


def findings(check: str, files: Mapping[str, str], unwaivable: tuple[str, ...] = ()) -> tuple[Finding, ...]:
    """What one check finds in files whose texts may be indented."""
    return audit(texts(files), NOW, unwaivable, rules=[BY_CHECK[check]])


def outcomes(check: str, files: Mapping[str, str]) -> list[Outcome]:
    return [finding.outcome for finding in findings(check, files)]


def outcome(check: str, files: Mapping[str, str]) -> Outcome:
    """That of the only finding."""
    (found,) = findings(check, files)
    return found.outcome


def deployment(container: str = "", pod: str = "", image: str = OF_DOTNET) -> str:
    """A Deployment with lines added to its container and to its pod."""
    text = dedent(
        f"""
        apiVersion: apps/v1
        kind: Deployment
        metadata:
          name: api
        spec:
          template:
            spec:
              containers:
                - name: api
                  image: {image}
        """
    ).lstrip("\n")
    return text + _block(container, 10) + _block(pod, 6)


def context(lines: str) -> str:
    """A security context of these lines."""
    return f"securityContext:\n{''.join(f'  {line}' for line in lines.strip().splitlines(True))}"


def workflow(steps: str, triggers: str = "push: {branches: [main]}", job: str = "", top: str = "") -> str:
    """A workflow with one job, its steps as they are written at the left margin."""
    text = f"on:\n{_block(triggers, 2)}{_block(top, 0)}jobs:\n  build:\n    runs-on: ubuntu-latest\n"
    return text + _block(job, 4) + "    steps:\n" + _block(steps, 6)


def _block(text: str, by: int) -> str:
    text = dedent(text).strip("\n")
    return indent(text, " " * by) + "\n" if text else ""


PUSH = """
- uses: docker/setup-buildx-action@v3
- uses: docker/build-push-action@v6
  id: build
  with:
    push: true
    tags: ghcr.io/contoso/api:8
"""
"""Steps that build and push an image."""
