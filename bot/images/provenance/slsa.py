"""SLSA provenance, v0.2 and v1, as BuildKit, GitHub and the SLSA generators write it.

Sources: slsa.dev/provenance/v0.2 and v1; BuildKit's "SLSA definitions" for what it puts where.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from packageurl import PackageURL

from bot.domain.images.stated import PROVENANCE_V0_2 as V0_2
from bot.domain.images.stated import PROVENANCE_V1 as V1
from bot.images.provenance.statement import Statement, digests
from bot.images.signatures.verdict import Refused

_MOST_MATERIALS = 20_000
_LONGEST = 4096
_IMAGES = frozenset({"docker", "oci"})


@dataclass(frozen=True, slots=True)
class Material:
    """One thing that went into a build: where it is from, and its digests as `algorithm:hex`."""

    uri: str
    digests: frozenset[str]


@dataclass(frozen=True, slots=True)
class BaseMaterial:
    """An image that a build stood on or ran: a base, a build stage, a frontend or a scanner.

    BuildKit resolves tags to the digest of the index; other tools name the platform's manifest.
    """

    image: str
    """The short name as Docker shows it, such as `alpine` or `mcr.microsoft.com/dotnet/aspnet`."""
    tag: str
    platform: str
    digests: frozenset[str]


@dataclass(frozen=True, slots=True)
class Provenance:
    """What a builder says of one build. Empty texts are what was not said."""

    builder: str
    materials: tuple[Material, ...]
    source: Material
    """What set the build off, usually a repository at a commit."""

    @property
    def bases(self) -> tuple[BaseMaterial, ...]:
        candidates = (read_base(material) for material in self.materials)
        return tuple(base for base in candidates if base is not None)


def read_provenance(statement: Statement) -> Provenance:
    """Reads the provenance in a statement; refuses any other kind of predicate."""
    match statement.predicate_type:
        case kind if kind == V1:
            return _read_v1(statement.predicate)
        case kind if kind == V0_2:
            return _read_v0_2(statement.predicate)
        case other:
            raise Refused(f"{other[:80]!r} is not provenance that is known", advice=f"known: {V0_2} and {V1}")


def read_base(material: Material) -> BaseMaterial | None:
    """Reads which image a material is; returns None for sources, files and packages."""
    if len(material.uri) > _LONGEST:
        return None
    try:
        url = PackageURL.from_string(material.uri)
    except ValueError:
        return None
    if url.type not in _IMAGES:
        return None
    qualifiers = url.qualifiers if isinstance(url.qualifiers, dict) else {}
    digest_texts = {qualifiers.get("digest", "")}
    version = url.version or ""
    if ":" in version:
        digest_texts.add(version)
        version = ""
    return BaseMaterial(
        image=f"{url.namespace}/{url.name}" if url.namespace else url.name,
        tag=version or qualifiers.get("tag", ""),
        platform=qualifiers.get("platform", ""),
        digests=material.digests | {digest for digest in digest_texts if digest},
    )


def _read_v1(predicate: Mapping[str, Any]) -> Provenance:
    definition, run = _object(predicate, "buildDefinition"), _object(predicate, "runDetails")
    parameters = _object(definition, "externalParameters")
    config = _object(parameters, "configSource")
    workflow = _object(parameters, "workflow")
    materials = _materials(definition.get("resolvedDependencies"))
    config_source = Material(_text(config, "uri"), digests(config.get("digest")))
    return Provenance(
        builder=_text(_object(run, "builder"), "id"),
        materials=materials,
        source=config_source if config_source.uri else _workflow_source(workflow, materials),
    )


def _read_v0_2(predicate: Mapping[str, Any]) -> Provenance:
    config = _object(_object(predicate, "invocation"), "configSource")
    return Provenance(
        builder=_text(_object(predicate, "builder"), "id"),
        materials=_materials(predicate.get("materials")),
        source=Material(_text(config, "uri"), digests(config.get("digest"))),
    )


def _workflow_source(workflow: Mapping[str, Any], materials: tuple[Material, ...]) -> Material:
    """GitHub names the repository and ref of the workflow, and the commit among the dependencies."""
    repository, ref = _text(workflow, "repository"), _text(workflow, "ref")
    if not repository:
        return Material("", frozenset())
    uri = f"git+{repository}@{ref}" if ref else f"git+{repository}"
    commit_digests = next((material.digests for material in materials if material.uri == uri), frozenset())
    return Material(uri, commit_digests)


def _materials(value: object) -> tuple[Material, ...]:
    if value is None:
        return ()
    if not isinstance(value, list) or len(value) > _MOST_MATERIALS:
        raise Refused(f"the materials are not a list of at most {_MOST_MATERIALS}")
    return tuple(Material(_text(one, "uri"), digests(one.get("digest"))) for one in value if isinstance(one, dict))


def _object(document: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    value = document.get(name)
    return value if isinstance(value, dict) else {}


def _text(document: Mapping[str, Any], name: str) -> str:
    value = document.get(name)
    return value if isinstance(value, str) else ""
