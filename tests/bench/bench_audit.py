"""What the audit costs: a fleet read for the first time, and the workflows of one large repository."""

from datetime import UTC, datetime
from time import process_time

from bot.audit.auditing import audit

REPOSITORIES = 1_000
WORKFLOWS = 236
AIM_FLEET = 10.0
AIM_WORKFLOWS = 0.5
NOW = datetime(2026, 11, 25, tzinfo=UTC)

_BUILD = """\
name: Build {number}
on:
  push:
    branches: [main]
  pull_request:
  workflow_dispatch:
permissions:
  contents: read
  packages: write
  id-token: write
env:
  IMAGE: ghcr.io/contoso/service-{number}
jobs:
  test:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v5
      - uses: actions/setup-dotnet@v5
        with:
          dotnet-version: 8.0.x
      - run: dotnet test --configuration Release
  image:
    needs: test
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v5
      - uses: docker/setup-buildx-action@v3
      - uses: docker/login-action@v3
        with:
          registry: ghcr.io
          username: ${{{{ github.actor }}}}
          password: ${{{{ secrets.GITHUB_TOKEN }}}}
      - uses: docker/build-push-action@v6
        id: build
        with:
          push: ${{{{ github.event_name != 'pull_request' }}}}
          tags: ${{{{ env.IMAGE }}}}:${{{{ github.sha }}}}
          cache-from: type=gha
      - name: Scan
        run: |
          trivy image --exit-code 1 --severity HIGH,CRITICAL "$IMAGE:${{{{ github.sha }}}}" | tee scan.txt
      - name: Sign
        run: cosign sign --yes "$IMAGE@${{{{ steps.build.outputs.digest }}}}"
"""
_DOCKERFILE = """\
FROM mcr.microsoft.com/dotnet/sdk:8.0 AS build
WORKDIR /src
COPY . .
RUN dotnet publish src/Service.csproj -o /app
FROM mcr.microsoft.com/dotnet/aspnet:8.0
WORKDIR /app
COPY --from=build /app .
USER $APP_UID
ENTRYPOINT ["dotnet", "Service.dll"]
"""
_PROJECT = """\
<Project Sdk="Microsoft.NET.Sdk.Web">
  <PropertyGroup>
    <TargetFramework>net8.0</TargetFramework>
  </PropertyGroup>
</Project>
"""
_DEPLOYMENT = """\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: service-{number}
  labels: {{app: service-{number}}}
spec:
  selector: {{matchLabels: {{app: service-{number}}}}}
  template:
    metadata: {{labels: {{app: service-{number}}}}}
    spec:
      securityContext: {{runAsNonRoot: true}}
      containers:
        - name: service
          image: ghcr.io/contoso/service-{number}:1.0
          ports: [{{containerPort: 8080}}]
          env:
            - name: ASPNETCORE_ENVIRONMENT
              value: Production
          securityContext:
            allowPrivilegeEscalation: false
            capabilities: {{drop: [ALL]}}
          readinessProbe: {{httpGet: {{path: /ready, port: 8080}}}}
          resources: {{limits: {{cpu: 500m, memory: 256Mi}}}}
"""
_OVERLAY = """\
resources: [../../base]
patches:
  - target: {kind: Deployment}
    patch: |
      - op: add
        path: /spec/template/spec/containers/0/securityContext/readOnlyRootFilesystem
        value: true
"""


def run() -> list[tuple[str, str, str]]:
    """Rows: what, measured, aim."""
    fleet = [_repository(number) for number in range(REPOSITORIES)]
    began = process_time()
    found = sum(len(audit(files, NOW)) for files in fleet)
    of_fleet = process_time() - began
    workflows = {
        f".github/workflows/build-{number}.yml": _BUILD.format(number=number).encode()
        for number in range(WORKFLOWS)
    }
    began = process_time()
    audit(workflows, NOW)
    of_workflows = process_time() - began
    return [
        (
            f"audit of {REPOSITORIES:,} repositories, nothing known before ({found:,} findings)",
            f"{of_fleet:.2f} s of processor time",
            f"under {AIM_FLEET:.0f} s",
        ),
        (f"audit of {WORKFLOWS} workflow files", f"{of_workflows:.2f} s", f"under {AIM_WORKFLOWS} s"),
    ]


def _repository(number: int) -> dict[str, bytes]:
    texts = {
        ".github/workflows/build.yml": _BUILD.format(number=number),
        "Dockerfile": _DOCKERFILE,
        "src/Service.csproj": _PROJECT,
        "global.json": '{"sdk": {"version": "8.0.404"}}',
        "deploy/base/kustomization.yaml": "resources: [deployment.yaml]\n",
        "deploy/base/deployment.yaml": _DEPLOYMENT.format(number=number),
        "deploy/overlays/prod/kustomization.yaml": _OVERLAY,
    }
    return {path: text.encode() for path, text in texts.items()}
