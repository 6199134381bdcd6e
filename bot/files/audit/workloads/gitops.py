"""What deploys from a repository without a workflow: objects of Flux and Argo CD, and what these verify.

Sources: the API references of Flux (OCIRepository and HelmChart `spec.verify`, GitRepository `spec.verify`) and of
Argo CD (AppProject `spec.signatureKeys`).
"""

from collections.abc import Iterator
from dataclasses import dataclass

from bot.files.audit.repository import RepositoryTexts
from bot.files.audit.workloads.kubernetes import is_assertion
from bot.files.audit.workloads.objects import objects, word
from bot.files.formats.kubernetes.manifests import KIND as MANIFEST
from bot.files.formats.source.nodes import Mapping

_FLUX, _ARGO = "toolkit.fluxcd.io", "argoproj.io"
_FLUX_DEPLOYS = frozenset({"Kustomization", "HelmRelease"})
_FLUX_SOURCES = frozenset(
    {"OCIRepository", "HelmChart", "GitRepository", "HelmRepository", "Bucket", "HelmRelease"}
)
_ARGO_DEPLOYS = frozenset({"Application", "ApplicationSet"})
_WAYS = {
    "Flux": "spec.verify of Flux' sources, with an identity",
    "Argo CD": "signatureKeys of Argo CD's AppProject",
}


@dataclass(frozen=True, slots=True)
class Controller:
    """Flux or Argo CD, at the first object by which it deploys. `verifies` says what it verifies, if anything.

    `lets_anybody`: this object verifies, and takes every signature.
    """

    name: str
    path: str
    manifest: Mapping
    verifies: str = ""
    lets_anybody: bool = False

    @property
    def subject(self) -> str:
        return subject_of(self.manifest)

    @property
    def way(self) -> str:
        """What of its own would verify."""
        return _WAYS[self.name]


def controllers(repository: RepositoryTexts) -> list[Controller]:
    """One for Flux and one for Argo CD, where objects of theirs deploy from here; one more for each source of Flux
    that takes every signature. Never raises."""
    return repository.kept(_controllers)


def _controllers(repository: RepositoryTexts) -> list[Controller]:
    flux = list(objects_of(repository, _FLUX))
    argo = list(objects_of(repository, _ARGO))
    controllers: list[Controller] = []
    deploying = next((each for each in flux if kind_of(each[1]) in _FLUX_DEPLOYS), None)
    if deploying is not None:
        controllers.append(Controller("Flux", *deploying, verifies=_verified_by_flux([each for _, each in flux])))
    controllers += [Controller("Flux", path, each, lets_anybody=True) for path, each in flux if _lets_anybody(each)]
    deploying = next((each for each in argo if kind_of(each[1]) in _ARGO_DEPLOYS), None)
    if deploying is not None:
        controllers.append(
            Controller("Argo CD", *deploying, verifies=_verified_by_argo([each for _, each in argo]))
        )
    return controllers


def objects_of(repository: RepositoryTexts, group: str) -> Iterator[tuple[str, Mapping]]:
    """The objects whose API is of that group, with the paths of their files."""
    for path in repository.paths:
        if not path.endswith((".yml", ".yaml")) or group not in repository.glimpse(path):
            continue
        if repository.kind(path) != MANIFEST or not repository.scope.is_judged(path) or is_assertion(path):
            continue
        for manifest in objects(repository.documents(path)):
            if group in (word(manifest.get("apiVersion")) or ""):
                yield path, manifest


def kind_of(manifest: Mapping) -> str:
    """The kind of an object; empty where it names none."""
    return word(manifest.get("kind")) or ""


def subject_of(manifest: Mapping) -> str:
    return f"{kind_of(manifest)}/{word(manifest.mapping('metadata').get('name')) or '?'}"


def _check_of(manifest: Mapping) -> Mapping:
    """Where a source of Flux says what it verifies."""
    spec = manifest.mapping("spec")
    return (
        spec.mapping("chart").mapping("spec").mapping("verify")
        if kind_of(manifest) == "HelmRelease"
        else (spec.mapping("verify"))
    )


def _verified_by_flux(manifests: list[Mapping]) -> str:
    """What Flux verifies of all that it takes; empty where it takes something unseen."""
    sources = [each for each in manifests if kind_of(each) in _FLUX_SOURCES - {"HelmRelease"}]
    releases = [each for each in manifests if kind_of(each) == "HelmRelease" and each.mapping("spec").get("chart")]
    asked = [each for each in sources if kind_of(each) != "HelmRepository"] + releases
    if not sources or not all(_check_of(each).own and not _lets_anybody(each) for each in asked):
        return ""
    return f"Flux takes only what is signed, by {subject_of(asked[0])}" if asked else ""


def _lets_anybody(manifest: Mapping) -> bool:
    check = _check_of(manifest)
    is_keyless = word(check.get("provider")) == "cosign" and check.get("secretRef") is None
    return kind_of(manifest) in _FLUX_SOURCES and is_keyless and not check.sequence("matchOIDCIdentity")


def _verified_by_argo(manifests: list[Mapping]) -> str:
    """The project by which Argo CD takes signed commits alone, where all applications seen are of such."""
    projects = {
        word(each.mapping("metadata").get("name")): each
        for each in manifests
        if kind_of(each) == "AppProject" and each.mapping("spec").sequence("signatureKeys")
    }
    applications = [each for each in manifests if kind_of(each) in _ARGO_DEPLOYS]
    if all(
        kind_of(each) == "Application" and word(each.mapping("spec").get("project")) in projects
        for each in applications
    ):
        return f"Argo CD takes only signed commits, by {subject_of(next(iter(projects.values())))}"
    return ""
