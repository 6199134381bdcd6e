"""What is said of an image's base where layers cannot tell: provenance, annotations, labels, a Dockerfile.

Sources: the OCI image specification's `org.opencontainers.image.base.*`; BuildKit's provenance lists every image
that a build used, with the digest of the index; buildah's annotation and the .NET SDK's label name the platform's
manifest.
"""

from collections.abc import Collection, Mapping, Sequence

from bot.domain.bases.followed_base import followed_base
from bot.domain.bases.image import is_digest
from bot.domain.images.standing import Basis, Declaration
from bot.domain.reference import Base, InvalidReference, Reference
from bot.images.provenance.slsa import BaseMaterial, Provenance

BASE_DIGEST = "org.opencontainers.image.base.digest"
BASE_NAME = "org.opencontainers.image.base.name"


def of_provenance(provenance: Provenance, expected: Collection[Base], *, is_verified: bool) -> Declaration | None:
    """The base among the images that went into a build; None where it is not plain which of them it is.

    The build's other images are those of earlier stages, so the one of an expected name counts, or the only one.
    """
    materials = provenance.bases
    of_name = [each for each in materials if any(_names(each, base) for base in expected)]
    chosen = of_name or list(materials)
    if not chosen or len({each.digests for each in chosen}) > 1:
        return None
    basis = Basis.VERIFIED_PROVENANCE if is_verified else Basis.UNSIGNED_PROVENANCE
    material = chosen[0]
    image_name = f"{material.image}:{material.tag}" if material.tag else material.image
    return Declaration(basis, image_name, frozenset(each for each in material.digests if is_digest(each)))


def stages_of(provenance: Provenance) -> tuple[Declaration, ...]:
    """Declares every image that went into a build, as verified provenance names it."""
    return tuple(
        Declaration(
            Basis.VERIFIED_PROVENANCE,
            f"{material.image}:{material.tag}" if material.tag else material.image,
            frozenset(digest for digest in material.digests if is_digest(digest)),
            is_stage=True,
        )
        for material in provenance.bases
    )


def of_annotations(annotations: Mapping[str, str]) -> Declaration | None:
    """Declares the base that the manifest's annotations name; they are the image's own."""
    return _of_texts(Basis.ANNOTATION, annotations)


def of_labels(labels: Mapping[str, str], inherited: Collection[tuple[str, str]] = ()) -> Declaration | None:
    """The base that labels name, as far as they are the image's own: an image has all labels of its base.

    `inherited` are the labels, name and value, of the bases that it may stand on.
    """
    own = {name: value for name, value in labels.items() if (name, value) not in inherited}
    return _of_texts(Basis.LABEL, own)


def of_dockerfile(base: Base) -> Declaration:
    """The base that the text names, whatever its tag showed when the image was built."""
    return Declaration(Basis.DOCKERFILE, str(base))


def base_named(declaration: Declaration) -> Base | None:
    """The registry tag in a declaration's words; None where they are no reference."""
    try:
        return Reference.parse(declaration.named).base
    except InvalidReference:
        return None


def most_telling_first(declarations: Sequence[Declaration | None]) -> list[Declaration]:
    """Sorts the declarations that were made, the most telling first."""
    ranks = list(Basis)
    return sorted((each for each in declarations if each is not None), key=lambda each: ranks.index(each.basis))


def _of_texts(basis: Basis, texts: Mapping[str, str]) -> Declaration | None:
    digest, name = texts.get(BASE_DIGEST, ""), texts.get(BASE_NAME, "")
    if not digest and not name:
        return None
    return Declaration(basis, name, frozenset({digest}) if is_digest(digest) else frozenset())


def _names(material: BaseMaterial, base: Base) -> bool:
    try:
        reference = Reference.parse(material.image)
    except InvalidReference:
        return False
    follows = followed_base(reference.with_tag(material.tag or None, None))
    return reference.base.name == base.name and (material.tag in ("", base.tag) or follows == base)
