"""The signatures that a registry keeps of an image, judged by the options of `verify`."""

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bot.cli.commands.images.signature_file import asked_about
from bot.cli.commands.images.trust_options import TrustOptions, bad
from bot.cli.commands.images.verdict_output import cannot_tell_where_nobody_answers
from bot.cli.options import DEFAULT_CONFIG

if TYPE_CHECKING:
    from bot.commands.images.signed_image import SignedImage
    from bot.domain.reference import Reference


def image_named(subject: str) -> "Reference | None":
    """The image that the text names with its registry; None where it can only be a file's name."""
    from bot.domain.reference import DEFAULT_REGISTRY, InvalidReference, Reference

    try:
        reference = Reference.parse(subject)
    except InvalidReference:
        return None
    is_written = reference.registry != DEFAULT_REGISTRY or reference.name.startswith(DEFAULT_REGISTRY)
    return reference if is_written else None


def at_digest(reference: "Reference", digest: str) -> "Reference":
    """The same image by the digest of `--digest`. Raises `Failure` where the reference has another."""
    option_digest = asked_about(None, digest).digest
    if option_digest and reference.digest not in (None, option_digest):
        raise bad(f"{reference} has another digest than --digest", "name one of them")
    return reference.with_tag(reference.tag, option_digest or reference.digest)


def judge_kept_signatures(
    reference: "Reference", options: TrustOptions, moment: datetime, config: Path
) -> "SignedImage":
    """Fetches and judges the signatures of the image and of each platform in it."""
    import asyncio

    from bot.commands.images.signed_image import judge_signatures
    from bot.domain.clock import SystemClock
    from bot.settings import Settings, load

    is_default = config == DEFAULT_CONFIG and not config.exists()
    settings = Settings() if is_default else load(config)
    media_type, trusted = options.media_type, options.trusted()
    with cannot_tell_where_nobody_answers():
        return asyncio.run(
            judge_signatures(
                settings,
                reference,
                trusted,
                moment,
                SystemClock(),
                counts=lambda document: (
                    not media_type or document.unreadable != "" or document.media_type == media_type
                ),
            )
        )


def parts_as_json(signed_image: "SignedImage") -> list[dict[str, Any]]:
    """What was found of the image and of each platform in it, in the fields of the JSON output."""
    return [
        {
            "platform": part.platform or None,
            "digest": part.digest,
            "signatures": len(part.verdicts),
            "strict": str(part.verdict(signed_image.kind)),
        }
        for part in signed_image.parts
    ]
