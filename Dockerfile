# The base is named by a floating tag, so build with `docker build --pull --no-cache`, at least weekly: that is what
# this bot asks of everybody else. Or pin it: --build-arg BASE=docker.io/library/python:3.13-slim@sha256:…
# checkov:skip=CKV_DOCKER_7:BASE names a version, which checkov does not look up
ARG BASE=docker.io/library/python:3.13-slim

# Where no package index is in reach: --build-context wheels=FOLDER, with the files in FOLDER/wheels.
FROM ${BASE} AS wheels
COPY deploy/build-requirements.txt deploy/requirements.txt /requirements/
RUN ["python", "-m", "pip", "download", "--no-cache-dir", "--no-deps", "--only-binary", ":all:", \
     "--require-hashes", "--dest", "/wheels", \
     "--requirement", "/requirements/build-requirements.txt", "--requirement", "/requirements/requirements.txt"]

FROM ${BASE} AS build
RUN ["python", "-m", "venv", "--without-pip", "/opt/freshness-bot", "/opt/build"]
COPY deploy/build-requirements.txt deploy/requirements.txt /requirements/
RUN --mount=type=bind,from=wheels,source=/wheels,target=/wheels \
    ["python", "-m", "pip", "--python", "/opt/freshness-bot/bin/python", "install", "--no-cache-dir", "--no-compile", \
     "--no-index", "--find-links", "/wheels", "--no-deps", "--require-hashes", \
     "--requirement", "/requirements/requirements.txt"]
WORKDIR /src
RUN --mount=type=bind,from=wheels,source=/wheels,target=/wheels \
    ["python", "-m", "pip", "--python", "/opt/build/bin/python", "install", "--no-cache-dir", \
     "--no-index", "--find-links", "/wheels", "--no-deps", "--require-hashes", \
     "--requirement", "/requirements/build-requirements.txt"]
COPY pyproject.toml README.md hatch_build.py ./
COPY bot bot
RUN ["/opt/build/bin/hatchling", "build", "--target", "wheel", "--directory", "/built"]
# Made here and taken over with its owner, for the last stage runs nothing.
WORKDIR /data
RUN ["python", "-m", "pip", "--python", "/opt/freshness-bot/bin/python", "install", "--no-cache-dir", "--no-compile", \
     "--no-index", "--find-links", "/built", "--no-deps", "freshness-bot"]
# What the bot never reads stays behind, and what it runs is compiled: without the columns of each instruction, which
# mark the place within a line in traces and take memory in every process.
ENV PYTHONNODEBUGRANGES=1
COPY deploy/slim.py /slim.py
RUN ["/opt/freshness-bot/bin/python", "/slim.py", "/opt/freshness-bot"]

FROM ${BASE}
ARG BASE
ARG REVISION=unknown
ARG VERSION=unknown
LABEL org.opencontainers.image.title="freshness-bot" \
      org.opencontainers.image.description="Keeps a fleet of .NET container images fresh" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.base.name="${BASE}"
# glibc gives threads that allocate beside each other pools of their own, up to eight for a core, and hands nothing of
# one to another: with two, 1,000 repositories with a rebuild in them take 186 MB instead of 208.
ENV PATH="/opt/freshness-bot/bin:${PATH}" \
    PYTHONUNBUFFERED=1 \
    PYTHONNODEBUGRANGES=1 \
    MALLOC_ARENA_MAX=2 \
    FRESHNESS_BOT_CONFIG=/etc/freshness/freshness.yaml
COPY --from=build /opt/freshness-bot /opt/freshness-bot
COPY --from=build --chown=64198:64198 /data /data

# The default store, sqlite:///data/freshness.db, is a path from here.
WORKDIR /
VOLUME ["/data"]
# The base has no user of its own. This number is none of the node's, and is nobody's in other images either.
USER 64198:64198
# It asks at web.health_listen, else at web.listen. Under Kubernetes the probes of deploy/ ask the same.
HEALTHCHECK --interval=60s --timeout=15s --start-period=60s CMD ["freshness-bot", "health"]
ENTRYPOINT ["freshness-bot"]
CMD ["run", "--config", "/etc/freshness/freshness.yaml"]
