"""How fast a checkout with many .NET projects is read: they are evaluated together, each with what it imports."""

import random
import time

from bot.domain.reference import Reference
from bot.domain.repositories.usage import Replacement, Role
from bot.files.formats.memory import File, Memory
from bot.files.formats.repository import read_files
from bot.files.formats.rewrite.rewrite import rewrite_files
from tests.bench.bench_dockerfile import dockerfiles
from tests.bench.measured import Measured

FILES = 1_000
PROJECTS = 50
AIM_SECONDS = 1.5

_SHARED = """<Project>
  <PropertyGroup>
    <TargetFramework>net10.0</TargetFramework>
    <Nullable>enable</Nullable>
    <AspNetVersion>10.0.1</AspNetVersion>
  </PropertyGroup>
{lines}
</Project>
"""
_PROJECT = """<Project Sdk="Microsoft.NET.Sdk.Web">
  <PropertyGroup>
    <RootNamespace>Contoso.Service{number}</RootNamespace>
    {base}
  </PropertyGroup>
  <ItemGroup>
{packages}
{references}
  </ItemGroup>
</Project>
"""
_APP_HOST = """<Project Sdk="Aspire.AppHost.Sdk/13.0.0">
  <ItemGroup>
{references}
  </ItemGroup>
</Project>
"""
_BASE = "<ContainerBaseImage>mcr.microsoft.com/dotnet/aspnet:$(AspNetVersion)-noble</ContainerBaseImage>"
_MANIFEST = """apiVersion: apps/v1
kind: Deployment
metadata:
  name: service{number}
spec:
  template:
    spec:
      containers:
        - name: service
          image: registry.example/service{number}:1.{number}
          ports: [{{containerPort: 8080}}]
"""
_PROGRAM = """var builder = DistributedApplication.CreateBuilder(args);
var cache = builder.AddContainer("cache{number}", "docker.io/valkey/valkey", "8.{number}").WithHttpEndpoint(6379);
builder.AddProject<Projects.Service{number}>("service{number}").WithReference(cache).WithExternalHttpEndpoints();
builder.Build().Run();
"""


def checkout() -> dict[str, bytes]:
    """A thousand files: 50 projects that reference each other, an AppHost, Dockerfiles and manifests."""
    chance = random.Random(9)
    packages = "\n".join(
        f'    <PackageVersion Include="Contoso.Package{number}" Version="{number}.0.0" />' for number in range(200)
    )
    texts = {
        "Directory.Build.props": _SHARED.format(lines='  <Import Project="eng/versions.props" />'),
        "Directory.Packages.props": _SHARED.format(lines=f"  <ItemGroup>\n{packages}\n  </ItemGroup>"),
        "eng/versions.props": _SHARED.format(lines=""),
        "src/Contoso.AppHost/Contoso.AppHost.csproj": _APP_HOST.format(
            references="\n".join(_reference(number) for number in range(PROJECTS))
        ),
    }
    for number in range(PROJECTS):
        referenced = chance.sample(range(number), min(number, 5))
        texts[f"src/Service{number}/Service{number}.csproj"] = _PROJECT.format(
            number=number,
            base=_BASE if number % 2 else "",
            packages="\n".join(
                f'    <PackageReference Include="Contoso.Package{each}" />'
                for each in chance.sample(range(200), 20)
            ),
            references="\n".join(map(_reference, referenced)),
        )
        texts[f"src/Contoso.AppHost/Resources/Service{number}.cs"] = _PROGRAM.format(number=number)
    for number, text in enumerate(dockerfiles(200)):
        texts[f"docker/{number}/Dockerfile"] = text
    for number in range(FILES - len(texts)):
        texts[f"deploy/service{number}.yaml"] = _MANIFEST.format(number=number)
    return {path: text.encode() for path, text in texts.items()}


def _reference(number: int) -> str:
    return f'    <ProjectReference Include="..\\Service{number}\\Service{number}.csproj" />'


def run() -> list[Measured]:
    data = checkout()
    begin = time.process_time()
    found, _ = read_files([File(path, path, each) for path, each in data.items()], Memory())
    reading = time.process_time() - begin
    bases = sum(usage.role in (Role.BASE_IMAGE, Role.IMPLICIT_BASE) for usage in found.usages)
    old = Reference.parse("mcr.microsoft.com/dotnet/aspnet:10.0.1-noble")
    wanted = (Replacement(old, old.with_tag("10.0.2-noble", None)),)
    begin = time.process_time()
    done = rewrite_files(data, dict.fromkeys(data, wanted))
    rewriting = time.process_time() - begin
    moved = sum(len(each.moved) for each in done.values())
    aim = f"under {AIM_SECONDS} s"
    what = f"{FILES:,} files with {PROJECTS} projects"
    return [
        Measured(
            f"{what} read",
            f"{reading:.2f} s on one core ({bases} bases of projects)",
            aim,
            reading < AIM_SECONDS,
        ),
        Measured(
            f"{what}, a shared version moved",
            f"{rewriting:.2f} s on one core ({moved} usages moved)",
            aim,
            rewriting < AIM_SECONDS,
        ),
    ]
