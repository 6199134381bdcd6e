"""Signatures judged by the options of `verify`: those that a registry keeps of an image, and one in a file."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from bot.cli.asking import waited_for
from bot.cli.commands.images.trust_options import SignatureKind, TrustOptions, bad, read
from bot.cli.options import DEFAULT_CONFIG, Format
from bot.cli.screen.output import print_aside

if TYPE_CHECKING:
    from bot.images.signatures.verdict import SignatureVerdict

_HOLDS, _DOES_NOT_HOLD, _CANNOT_TELL = 0, 1, 3


@contextmanager
def cannot_tell_where_nobody_answers() -> Iterator[None]:
    """Ends the command with `_CANNOT_TELL` where a registry does not say: which is not "unsigned"."""
    from bot.domain.failure import Failure, Trouble

    try:
        yield
    except Failure as failure:
        is_refused = failure.trouble is Trouble.DENIED and failure.status is not None
        if not failure.trouble.is_passing and not is_refused:
            raise
        print_aside(f"cannot tell: {failure}")
        raise typer.Exit(_CANNOT_TELL) from None


def exit_code(verdict: "SignatureVerdict") -> int:
    """Returns what the command ends with."""
    from bot.images.signatures.verdict import Validity

    codes = {Validity.VALID: _HOLDS, Validity.INVALID: _DOES_NOT_HOLD, Validity.CANNOT_TELL: _CANNOT_TELL}
    return codes[verdict.outcome]


def show_verdict(verdict: "SignatureVerdict", fields: dict[str, Any], output: Format) -> None:
    """Prints the verdict with each check and its reason; as JSON beside the `fields` of what was given."""
    from bot.cli.screen.output import print_json, print_line, print_table
    from bot.images.signatures.verdict import REVOCATION

    if output is Format.JSON:
        print_json(
            {
                "kind": verdict.kind,
                **fields,
                **{check.name: str(check) for check in verdict.checks},
                "strict": str(verdict),
                "verdict": verdict.outcome,
                "reason": verdict.reason,
                "advice": verdict.advice,
                "signer": verdict.signer,
                "issuer": verdict.issuer,
                "signed_digest": verdict.digest,
                "signed_at": verdict.signed_at.isoformat() if verdict.signed_at is not None else None,
                "revocation": REVOCATION,
                "notes": verdict.notes,
            }
        )
        return
    print_line(str(verdict) + (f"; {verdict.advice}" if verdict.advice else ""))
    rows = [(check.name, check.state, check.reason) for check in verdict.checks]
    print_table(("check", "", "why"), [*rows, ("revocation", REVOCATION, "")])
    for name, value in (("signed by", verdict.signer), ("vouched for by", verdict.issuer), ("for", verdict.digest)):
        if value:
            print_line(f"{name}: {value}")
    for note in verdict.notes:
        print_line(f"note: {note}")


if TYPE_CHECKING:
    from bot.commands.images.signed_image import SignedImage
    from bot.domain.reference import Reference
    from bot.images.signatures.cosign.verifying import SignedSubject
    from bot.images.signatures.verdict import SignatureVerdict


_LARGEST_ARTIFACT = 1024 * 1024 * 1024
_DIGEST_LENGTHS = {"sha256": 64, "sha384": 96, "sha512": 128}


def judge_file(
    encoded: bytes, options: TrustOptions, subject: "SignedSubject", moment: datetime
) -> "SignatureVerdict":
    """Judges one encoded signature, of whatever it signs. Raises `Failure` where an option is missing without which
    it says nothing."""
    from bot.images.signatures.cosign.verifying import verify_keyless, verify_with_key
    from bot.images.signatures.notation.verifying import MEDIA_TYPES, verify_notation
    from bot.images.signatures.verdict import as_of
    from bot.images.trust.collecting import AttachedDocument
    from bot.images.trust.stating import noting_what_is_stated

    media_type = options.media_type
    if options.kind is SignatureKind.NOTATION and media_type not in MEDIA_TYPES:
        raise bad("--media-type must be given", f"one of {', '.join(MEDIA_TYPES)}")
    if options.kind is not SignatureKind.NOTATION and not subject.wanted and (options.trusted_root or options.key):
        raise bad("--artifact or --digest must be given", "a signature holds for something only")
    trusted = options.trusted()
    if trusted.notation is not None:
        verdict = verify_notation(encoded, media_type, trusted.notation, moment, digests=_digests(subject))
        unasked = "no --artifact and no --digest: whatever it was made for, the signature was judged"
        return verdict if subject.wanted else verdict.noting(unasked)
    document = AttachedDocument(options.kind, encoded, media_type, subject.artifact)
    if trusted.keyless is not None:
        return noting_what_is_stated(as_of(verify_keyless(encoded, *trusted.keyless, subject), moment), document)
    assert trusted.key is not None, "one kind is trusted"
    return noting_what_is_stated(verify_with_key(encoded, trusted.key, subject), document)


def given_fields(
    file: Path, artifact: Path | None, options: TrustOptions, subject: "SignedSubject", moment: datetime
) -> dict[str, Any]:
    """Gives what was given, in the fields of the recorded cases."""
    match options.kind:
        case SignatureKind.NOTATION:
            return {
                "file": file,
                "media_type": options.media_type,
                "trust_dir": options.trust_dir,
                "trust_stores": options.trust_stores,
                "trusted_identities": options.identities or ["*"],
                "verify_timestamp": options.timestamp,
                "verify_at": moment.isoformat(),
            }
        case SignatureKind.SIGSTORE:
            identity = {"san": options.identities, "san_regexp": options.identity_regexps}
            return {
                "bundle": file,
                "artifact": artifact,
                "digest": subject.wanted,
                "trusted_root": options.trusted_root,
                "identity": {**identity, "issuer": options.issuer or None},
            }
        case SignatureKind.COSIGN_KEY:
            return {"file": file, "artifact": artifact, "digest": subject.wanted, "key": options.key}


def asked_about(artifact: Path | None, digest: str) -> "SignedSubject":
    """Reads what the signature is asked to be for. Raises `Failure` where the digest is none."""
    from bot.images.signatures.cosign.verifying import SignedSubject

    algorithm, _, value = digest.partition(":")
    if digest and (len(value) != _DIGEST_LENGTHS.get(algorithm) or set(value) - set("0123456789abcdef")):
        raise bad(f"{digest!r} is no digest", "write sha256: and 64 small hexadecimal digits")
    return SignedSubject(read(artifact, _LARGEST_ARTIFACT) if artifact is not None else None, digest)


def _digests(subject: "SignedSubject") -> list[str]:
    import hashlib

    if subject.artifact is None:
        return [subject.digest] if subject.digest else []
    digests = [f"{name}:{hashlib.new(name, subject.artifact).hexdigest()}" for name in _DIGEST_LENGTHS]
    if subject.digest and subject.digest not in digests:
        raise bad("--artifact is not what --digest names", "give one of them, or the file that has this digest")
    return [subject.digest] if subject.digest else digests


def moment_of(text: str) -> datetime:
    """Reads the moment to judge at, now where none is given. Raises `Failure` where it is none or has no zone."""
    from datetime import UTC

    from bot.domain.clock import SystemClock

    if not text:
        return SystemClock().now()
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        raise bad(f"--at {text!r} is no moment", "write it with its zone, such as 2026-11-25T00:00:00Z")
    return moment.astimezone(UTC)


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
    from bot.commands.images.signed_image import judge_signatures
    from bot.domain.clock import SystemClock
    from bot.settings import Settings, load

    is_default = config == DEFAULT_CONFIG and not config.exists()
    settings = Settings() if is_default else load(config)
    media_type, trusted = options.media_type, options.trusted()
    with cannot_tell_where_nobody_answers():
        return waited_for(
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
