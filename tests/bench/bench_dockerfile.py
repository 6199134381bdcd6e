"""How fast Dockerfiles are read: the whole of a fleet is read again and again."""

import random
import time

from bot.files.formats.dockerfile import finder as dockerfile
from tests.bench.measured import Measured

FILES = 10_000
AIM_SECONDS = 3.0

_DOTNET = """\
# syntax=docker/dockerfile:1
ARG DOTNET={version}
FROM --platform=$BUILDPLATFORM mcr.microsoft.com/dotnet/sdk:${{DOTNET}} AS build
ARG TARGETARCH
WORKDIR /src
COPY --link src/{name}/*.csproj .
RUN dotnet restore -a $TARGETARCH
COPY --link src/{name}/ .
RUN --mount=type=cache,target=/root/.nuget \\
    dotnet publish -a $TARGETARCH --no-restore \\
    -o /app

FROM mcr.microsoft.com/dotnet/aspnet:${{DOTNET}}-noble-chiseled AS final
ENV ASPNETCORE_HTTP_PORTS=8080 \\
    DOTNET_EnableDiagnostics=0
EXPOSE 8080
WORKDIR /app
COPY --link --from=build /app .
USER $APP_UID
ENTRYPOINT ["./{name}"]
"""
_VISUAL_STUDIO = """\
FROM mcr.microsoft.com/dotnet/aspnet:{version} AS base
USER app
WORKDIR /app
EXPOSE 8080

FROM mcr.microsoft.com/dotnet/sdk:{version} AS build
ARG BUILD_CONFIGURATION=Release
WORKDIR /src
COPY ["{name}/{name}.csproj", "{name}/"]
RUN dotnet restore "./{name}/{name}.csproj"
COPY . .
WORKDIR "/src/{name}"
RUN dotnet build "./{name}.csproj" -c $BUILD_CONFIGURATION -o /app/build

FROM build AS publish
RUN dotnet publish "./{name}.csproj" -c $BUILD_CONFIGURATION -o /app/publish /p:UseAppHost=false

FROM base AS final
WORKDIR /app
COPY --from=publish /app/publish .
ENTRYPOINT ["dotnet", "{name}.dll"]
"""
_WINDOWS = """\
# escape=`
FROM mcr.microsoft.com/dotnet/framework/sdk:4.8.1 AS build
WORKDIR C:\\src
COPY . .
RUN msbuild {name}.sln `
    /p:Configuration=Release `
    # a comment between
    /p:OutDir=C:\\out

FROM mcr.microsoft.com/dotnet/runtime:{version}-nanoserver-ltsc2022
COPY --from=build C:\\out C:\\app
ENTRYPOINT ["C:\\\\app\\\\{name}.exe"]
"""
_SCRIPTED = """\
ARG REGISTRY=mcr.microsoft.com
ARG BASE=${{REGISTRY}}/dotnet/runtime-deps:{version}-alpine
FROM ${{BASE}} AS runtime
RUN <<EOF
set -e
apk add --no-cache icu-libs tzdata
FROM this line is only a script
EOF
COPY --from=docker.io/library/busybox:1.36 /bin/busybox /bin/busybox
RUN --mount=type=bind,from=mcr.microsoft.com/dotnet/sdk:{version},source=/usr/share/dotnet,target=/dotnet \\
    cp -r /dotnet/host /opt/{name}
LABEL org.opencontainers.image.title="{name}" \\
      org.opencontainers.image.vendor="Contoso"
ENTRYPOINT ["/opt/{name}/run"]
"""


def dockerfiles(count: int) -> list[str]:
    """Mixed files such as .NET shops have, some with CRLF, no two alike."""
    chance = random.Random(20)
    shapes = (_DOTNET, _VISUAL_STUDIO, _WINDOWS, _SCRIPTED)
    texts = []
    for number in range(count):
        version = f"{chance.choice((8, 9, 10))}.0.{chance.randrange(20)}"
        text = shapes[number % len(shapes)].format(version=version, name=f"Contoso.Service{number}")
        texts.append(text.replace("\n", "\r\n") if number % 5 == 0 else text)
    return texts


def run() -> list[Measured]:
    texts = dockerfiles(FILES)
    begin = time.process_time()
    found = sum(len(dockerfile.find("Dockerfile", text).usages) for text in texts)
    seconds = time.process_time() - begin
    figure = f"{seconds:.2f} s on one core ({found:,} usages)"
    what, aim = f"{FILES:,} mixed Dockerfiles read", f"under {AIM_SECONDS:.0f} s"
    return [Measured(what, figure, aim, seconds < AIM_SECONDS)]
