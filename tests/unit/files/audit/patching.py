"""A repository that fails checks, and the finding of one of them with its patch."""

from bot.domain.repositories.finding import Finding
from bot.files.audit.auditing import audit
from bot.files.audit.patches import Texts
from bot.files.audit.repository import RepositoryTexts
from tests.unit.files.audit.world import BUILD, DEPLOYMENT, NOW, PUSH, deployment, texts, workflow

COMPOSE = "services:\n  api:\n    build: .  # ours\n"
DOCKERFILE = 'FROM mcr.microsoft.com/dotnet/aspnet:8.0 AS base\nFROM base\nCOPY app /app\n\nENTRYPOINT ["dotnet"]\n'
FILES = texts({DEPLOYMENT: deployment(), "compose.yaml": COMPOSE, "Dockerfile": DOCKERFILE, BUILD: workflow(PUSH)})


def known(files: dict[str, bytes]) -> Texts:
    return Texts(RepositoryTexts(files), files, NOW)


def found(check: str, path: str) -> Finding:
    (finding,) = [each for each in audit(FILES, NOW) if (each.check, each.place.path) == (check, path)]
    return finding


TAKEN = """
services:
  api:
    build: .
    image: contoso/api
    environment:
    - A=b
    - DB_PASSWORD=${SA}
    user: '1654'
""".replace("    - ", "      - ")
TOKEN = """
FROM mcr.microsoft.com/dotnet/sdk:8.0
ARG NUGET_TOKEN
RUN dotnet restore --token $NUGET_TOKEN && \\
    true
USER 1
"""
ARGUED = PUSH.replace(
    "    push: true\n", "    push: true\n    build-args: NUGET_TOKEN=${{ secrets.NUGET_TOKEN }}\n"
)
