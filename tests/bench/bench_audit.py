"""What the audit costs: a fleet read for the first time, the workflows of one large repository, and a SARIF log."""

import asyncio
import hashlib
import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from time import process_time

from bot.domain.clock import ManualClock
from bot.domain.repositories.repository import Reading, Repository
from bot.files.audit.audited import AuditedCheckout
from bot.files.audit.auditing import audit, judge_repository
from bot.files.audit.patches import Texts
from bot.files.audit.repository import RepositoryTexts
from bot.files.audit.rules import RULES
from bot.fleet.audit.rows import AuditStore
from bot.fleet.audit.tick import AuditOptions, tick
from bot.fleet.discover.ports import Listing
from bot.fleet.discover.rows.discover import DiscoverStore
from bot.fleet.wiring.collecting import collected_seldom
from bot.reconcile.loop import Loop
from bot.store.engine.database import open_database
from bot.store.engine.queue.claiming import Worker
from bot.store.pages.fleet.practices import PracticesStore
from bot.store.stores import Stores
from bot.views.repositories.findings import as_sarif
from tests.bench.measured import Measured

REPOSITORIES = 1_000
WORKFLOWS = 236
AIM_FLEET = 10.0
AIM_UNCHANGED = 20.0
"""Milliseconds"""
CHANGED = 10
AIM_WORKFLOWS = 0.5
SERVICES = 9_000
AIM_SARIF = 10.0
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


@dataclass(frozen=True, slots=True)
class _Pass:
    """What one audit of the fleet took, in seconds of processor time, and how many repositories it judged."""

    seconds: float
    judged: int


def run() -> list[Measured]:
    """Python looks for garbage as seldom as in the bot."""
    with collected_seldom():
        return _measured()


def _measured() -> list[Measured]:
    fleet = [repository_files(number) for number in range(REPOSITORIES)]
    cold, unchanged, changed, found = asyncio.run(_in_the_store(fleet))
    workflows = {
        f".github/workflows/build-{number}.yml": _BUILD.format(number=number).encode()
        for number in range(WORKFLOWS)
    }
    began = process_time()
    audit(workflows, NOW)
    of_workflows = process_time() - began
    of_sarif, patched = _sarif()
    return [
        Measured(
            f"audit of {REPOSITORIES:,} repositories, nothing known before ({found:,} findings)",
            f"{cold.seconds:.2f} s of processor time, store included, {cold.judged:,} judged",
            f"under {AIM_FLEET:.0f} s, all judged",
            cold.seconds < AIM_FLEET and cold.judged == REPOSITORIES,
        ),
        Measured(
            "the same after each was read anew and these files were as before",
            f"{unchanged.seconds * 1000:.1f} ms of processor time, {unchanged.judged:,} judged",
            f"under {AIM_UNCHANGED:.0f} ms, none judged",
            unchanged.seconds * 1000 < AIM_UNCHANGED and not unchanged.judged,
        ),
        Measured(
            f"the same after each was read anew and {CHANGED} had another Dockerfile",
            f"{changed.seconds:.2f} s of processor time, {changed.judged:,} judged",
            f"{CHANGED} judged",
            changed.judged == CHANGED,
        ),
        Measured(
            f"audit of {WORKFLOWS} workflow files",
            f"{of_workflows:.2f} s of processor time",
            f"under {AIM_WORKFLOWS} s",
            of_workflows < AIM_WORKFLOWS,
        ),
        Measured(
            f"`audit --format sarif` of {SERVICES:,} Compose services ({patched:,} proved patches)",
            f"{of_sarif:.2f} s of processor time",
            f"under {AIM_SARIF:.0f} s",
            of_sarif < AIM_SARIF and patched > 0,
        ),
    ]


def _sarif() -> tuple[float, int]:
    """What the log of one repository took, from its texts to the bytes of it; how many patches stand the proof."""
    services = "".join(f"  s{number}:\n    image: ghcr.io/contoso/s{number}:1.0\n" for number in range(SERVICES))
    files = {"compose.yaml": f"services:\n{services}".encode()}
    began = process_time()
    texts = Texts(RepositoryTexts(files), files, NOW)
    audited = AuditedCheckout(judge_repository(texts.repository, NOW).findings, texts)
    proved = audited.patches()
    json.dumps(as_sarif(audited.findings, RULES, "0", proved))
    return process_time() - began, len(proved)


async def _in_the_store(fleet: list[dict[str, bytes]]) -> tuple[_Pass, _Pass, _Pass, int]:
    """The first audit, one after nothing changed and one after some did; how many findings there are."""
    clock = ManualClock(NOW)
    with TemporaryDirectory() as folder:
        database = await open_database(f"sqlite:///{Path(folder) / 'bench.db'}")
        stores = Stores(database, Worker("bench"), clock)
        await _read(stores, clock, fleet)
        cold = await _audited(stores, clock)
        audited = [
            await stores[PracticesStore].audited(f"contoso/service-{number}") for number in range(len(fleet))
        ]
        await _read(stores, clock, fleet)
        unchanged = await _audited(stores, clock)
        some = [files | {"Dockerfile": b"# moved\n" + files["Dockerfile"]} for files in fleet[:CHANGED]]
        await _read(stores, clock, some + fleet[CHANGED:])
        changed = await _audited(stores, clock)
        await database.close()
    return cold, unchanged, changed, sum(len(each.findings) for each in audited if each is not None)


async def _audited(stores: Stores, clock: ManualClock) -> _Pass:
    began = process_time()
    tally = await tick(stores[AuditStore], AuditOptions(), Loop(clock))
    return _Pass(process_time() - began, tally.audited)


async def _read(stores: Stores, clock: ManualClock, fleet: list[dict[str, bytes]]) -> None:
    """A push to every repository, and what discovery makes of it: each is read."""
    now = clock.advance(timedelta(hours=1))
    await stores[DiscoverStore].expect_listing()
    [task] = [
        await stores[DiscoverStore].listings().read(each)
        for each in await stores[DiscoverStore].listings().claim(now, 1)
    ]
    taken = tuple(Repository(f"contoso/service-{number}", "main", now) for number in range(len(fleet)))
    await stores[DiscoverStore].record_listing(task, Listing(taken), now)
    by_name = {each.name: files for each, files in zip(taken, fleet, strict=True)}
    claims = await stores[DiscoverStore].repositories.claim(now, len(fleet))
    assert len(claims) == len(fleet)
    for claimed in claims:
        due = await stores[DiscoverStore].repositories.read(claimed)
        shas = {path: hashlib.sha1(text).hexdigest() for path, text in by_name[due.name].items()}
        await stores[DiscoverStore].save_blobs({shas[path]: text for path, text in by_name[due.name].items()})
        reading = Reading(f"{now:%H}", blobs=tuple(shas.values()), audited=shas)
        await stores[DiscoverStore].save_reading(due, reading, now + timedelta(days=7))


def repository_files(number: int) -> dict[str, bytes]:
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
