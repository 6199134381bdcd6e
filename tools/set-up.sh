#!/usr/bin/env bash
# Brings what `make demo`, `make test` and `make check` need. Where everything is there, it does nothing, quickly.
set -euo pipefail
cd "$(dirname "$0")/.."

say() { printf 'set-up: %s\n' "$*" >&2; }

as_root() {
    if [ "$(id -u)" = 0 ]; then
        "$@"
    else
        sudo -n "$@"
    fi
}

may_install() {
    command -v apt-get >/dev/null && { [ "$(id -u)" = 0 ] || sudo -n true 2>/dev/null; }
}

# Installs each Debian package on its own, so that one that this release lacks does not stop the others.
install_packages() {
    if ! may_install; then
        command -v apt-get >/dev/null && say "missing, and no right to install: sudo apt-get install $*"
        return 0
    fi
    as_root env DEBIAN_FRONTEND=noninteractive apt-get update -qq
    for package in "$@"; do
        as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$package" \
            >/dev/null || say "apt-get could not install $package"
    done
}

# What only root runs, or buildah, is not on everybody's PATH.
has() { PATH=$PATH:/usr/sbin:/usr/lib/podman command -v "$1" >/dev/null; }

has_postgres() { compgen -G '/usr/lib/postgresql/*/bin/initdb' >/dev/null || command -v initdb >/dev/null; }

missing_packages() {
    for program in docker-registry oras skopeo cosign openssl rpm npm debootstrap buildah netavark; do
        has "$program" || echo "$program"
    done
    has kubectl || echo kubernetes-client
    has promtool || echo prometheus
    has chromium || echo chromium
    has dockerd || echo docker.io
    has docker || echo docker-cli
    docker buildx version >/dev/null 2>&1 || echo docker-buildx
    has_postgres || echo postgresql
}

# The first Python that is new enough and brings what a virtual environment needs.
find_python() {
    for name in python3 python3.14 python3.13 python3.12 python3.11; do
        if "$name" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
            echo "$name"
            return 0
        fi
    done
    return 1
}

set_up_python() {
    if [ ! -x .venv/bin/python ]; then
        find_python >/dev/null || install_packages python3-venv
        local python
        python=$(find_python) || {
            say "Python 3.11 or newer with venv is needed: apt-get install python3-venv, or see python.org"
            exit 1
        }
        "$python" -m venv .venv
    fi
    .venv/bin/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'
}

# They pin what they need so narrowly that they live in an environment of their own, which says what is in it.
scanners=$(sha256sum <tools/scanners.txt)

has_scanners() { [ "$(cat .venv/scanners/.set-up 2>/dev/null)" = "$scanners" ]; }

set_up_scanners() {
    if ! .venv/bin/python -m uv venv --quiet --allow-existing .venv/scanners ||
        ! .venv/bin/python -m uv pip install --quiet --python .venv/scanners/bin/python \
            --requirement tools/scanners.txt; then
        say "checkov and bandit could not be installed; the next run tries again"
        return 0
    fi
    printf '%s\n' "$scanners" >.venv/scanners/.set-up
}

# Everything else is there: where no index can be reached, that costs a few seconds.
try_scanners_again() { UV_HTTP_RETRIES=0 UV_HTTP_CONNECT_TIMEOUT=3 set_up_scanners; }

has_node() { [ -x tools/node_modules/node/bin/node ] || ! command -v npm >/dev/null; }

set_up_node() {
    command -v npm >/dev/null || return 0
    npm ci --prefix tools --silent || { say "npm ci --prefix tools failed; run it to see why"; return 0; }
    tools/node_modules/node/bin/node --version >/dev/null 2>&1 || npm rebuild --prefix tools --silent node ||
        say "the Node that the emulator needs is not there: npm rebuild --prefix tools node"
}

wanted=$(cat pyproject.toml constraints.txt tools/package-lock.json tools/scanners.txt tools/set-up.sh | sha256sum)
missing=$(missing_packages | tr '\n' ' ')
# A part that this machine cannot have is looked for once, not before every command.
if [ "$(cat .venv/.set-up 2>/dev/null)" = "$wanted $missing" ] && has_node; then
    [ -z "$missing" ] || say "without $missing(remove .venv/.set-up to try again)"
    has_scanners || try_scanners_again
    exit 0
fi
if [ -n "$missing" ]; then
    # shellcheck disable=SC2086 # one word for each package
    install_packages $missing
fi
set_up_python
has_scanners || set_up_scanners
set_up_node
.venv/bin/python -m sandbox.programs.parts >&2
printf '%s\n' "$wanted $(missing_packages | tr '\n' ' ')" >.venv/.set-up
