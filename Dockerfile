# syntax=docker/dockerfile:1

# The base is named by a floating tag, so build with `docker build --pull --no-cache`, at least weekly: that is what
# this bot asks of everybody else.
FROM python:3.13-slim AS build
WORKDIR /src
COPY pyproject.toml constraints.txt README.md ./
COPY bot bot
RUN ["python", "-m", "pip", "wheel", "--no-cache-dir", "--constraint", "constraints.txt", "--wheel-dir", "/wheels", "."]

FROM python:3.13-slim
LABEL org.opencontainers.image.title="freshness-bot" \
      org.opencontainers.image.description="Keeps a fleet of .NET container images fresh" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.base.name="docker.io/library/python:3.13-slim"
ENV PYTHONUNBUFFERED=1 \
    FRESHNESS_BOT_CONFIG=/etc/freshness/freshness.yaml
RUN --mount=type=bind,from=build,source=/wheels,target=/wheels \
    ["python", "-m", "pip", "install", "--no-cache-dir", "--no-index", "--find-links", "/wheels", "freshness-bot"]
RUN ["install", "--directory", "--owner=64198", "--group=64198", "/data"]

# The default store, sqlite:///data/freshness.db, is a path from here.
WORKDIR /
VOLUME ["/data"]
USER 64198:64198
ENTRYPOINT ["freshness-bot"]
CMD ["run", "--config", "/etc/freshness/freshness.yaml"]
