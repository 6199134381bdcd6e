"""Images and digests as people read them: short, and never cut in a way that hides which one is meant."""

from bot.domain.reference import Base, Reference

USUAL = "mcr.microsoft.com/dotnet/"
"""The registry and path that nearly all bases share, left out where a name is shown to people."""
_SHOWN_DIGITS = 12


def short_digest(digest: str | None) -> str:
    """Shortens `sha256:…` to its first twelve digits; a digest that is not known stays empty."""
    if digest is None:
        return ""
    algorithm, _, digits = digest.partition(":")
    return f"{algorithm}:{digits[:_SHOWN_DIGITS]}"


def short_base(base: Base) -> str:
    """Names a base without the usual registry; another registry is part of its name."""
    return str(base).removeprefix(USUAL)


def short_reference(reference: Reference) -> str:
    """Names a reference as it is written, without the usual registry, its digest shortened."""
    name = str(reference)
    if reference.digest is not None:
        name = name.replace(reference.digest, short_digest(reference.digest))
    return name.removeprefix(USUAL)
