"""The real programs that the sandbox runs, where they are, and how to get one that is missing."""

import os
import shutil
from functools import lru_cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
NODE_MODULES = Path(os.environ.get("FRESHNESS_NODE_MODULES", ROOT / "tools" / "node_modules"))
NODE = NODE_MODULES / "node" / "bin" / "node"
EMULATE = NODE_MODULES / "emulate" / "dist" / "api.js"
OPENAPI = NODE_MODULES / "@octokit" / "openapi" / "generated"
GRAPHQL = NODE_MODULES / "@octokit" / "graphql-schema" / "schema.graphql"

FROM_NPM = "npm ci --prefix tools (npm itself: apt-get install npm, or nodejs.org)"
HOW_TO_GET = {
    "docker-registry": "apt-get install docker-registry, or CNCF Distribution 2.8 under that name on the PATH",
    "oras": "apt-get install oras, or the ORAS command line 1.x on the PATH",
    "skopeo": "apt-get install skopeo",
    "cosign": "apt-get install cosign, or cosign 2.5 on the PATH",
    "openssl": "apt-get install openssl",
    "postgres": "apt-get install postgresql, or PostgreSQL's initdb and postgres on the PATH",
    "emulate": FROM_NPM,
    "openapi": FROM_NPM,
    "graphql": FROM_NPM,
}


class MissingPart(RuntimeError):
    """A program that the sandbox needs is not there; the message says which, and how to get it."""

    def __init__(self, part: str) -> None:
        self.part = part
        super().__init__(f"{part} is missing: {HOW_TO_GET[part]}")


@lru_cache(maxsize=1)
def postgres_binaries() -> Path | None:
    """The folder with `initdb` and `postgres`: the newest of Debian's, else the one on the PATH."""
    versions = Path("/usr/lib/postgresql").glob("*/bin/initdb")
    newest = max(versions, key=lambda path: int(path.parts[-3]), default=None)
    found = newest or shutil.which("initdb")
    return Path(found).parent if found else None


def is_there(part: str) -> bool:
    """Whether `part`, a key of `HOW_TO_GET`, can be run or read."""
    match part:
        case "emulate":
            return NODE.exists() and EMULATE.exists()
        case "openapi":
            return (OPENAPI / "api.github.com.json").exists()
        case "graphql":
            return GRAPHQL.exists()
        case "postgres":
            return postgres_binaries() is not None
        case _:
            return shutil.which(part) is not None


def require(*parts: str) -> None:
    """Raises `MissingPart` for the first of `parts` that is not there."""
    for part in parts:
        if not is_there(part):
            raise MissingPart(part)


def main() -> None:
    """Names what is missing, one line each."""
    for part in HOW_TO_GET:
        if not is_there(part):
            print(MissingPart(part))


if __name__ == "__main__":
    main()
