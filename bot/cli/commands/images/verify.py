"""`verify`: whether an image or a signature holds, as one exit code for a build or deploy job."""

import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bot.cli.commands.images.trust_options import Kind, Timestamping, TrustOptions, bad, read
from bot.cli.options import DEFAULT_CONFIG, ConfigFile, Format, OutputFormat

if TYPE_CHECKING:
    from bot.domain.reference import Reference
    from bot.service.commands.images.signed_image import SignedImage
    from bot.verify.signatures.cosign.verifying import Asked
    from bot.verify.signatures.verdict import Verdict

_HOLDS, _DOES_NOT_HOLD, _CANNOT_TELL = 0, 1, 3
_LARGEST_ARTIFACT = 1024 * 1024 * 1024
_DIGEST_LENGTHS = {"sha256": 64, "sha384": 96, "sha512": 128}


def verify(
    subject: Annotated[
        str, typer.Argument(metavar="IMAGE|FILE", help="An image; with --kind also the file of one signature.")
    ],
    kind: Annotated[
        Kind | None, typer.Option("--kind", help="Judge signatures of this kind by the options, not the settings.")
    ] = None,
    media_type: Annotated[
        str, typer.Option("--media-type", help="notation: application/cose or application/jose+json.")
    ] = "",
    trust_dir: Annotated[
        Path | None, typer.Option("--trust-dir", help="notation: the folder with x509/TYPE/NAME/ in it.")
    ] = None,
    trust_store: Annotated[
        list[str] | None,
        typer.Option("--trust-store", help="notation: TYPE:NAME, such as ca:contoso or tsa:contoso."),
    ] = None,
    timestamp: Annotated[
        Timestamping,
        typer.Option("--timestamp", help="notation: when a timestamp is asked for, given a store tsa:NAME."),
    ] = Timestamping.ALWAYS,
    trusted_root: Annotated[
        Path | None, typer.Option("--trusted-root", help="sigstore: the trusted_root.json to believe.")
    ] = None,
    artifact: Annotated[Path | None, typer.Option("--artifact", help="The file that was signed.")] = None,
    digest: Annotated[
        str, typer.Option("--digest", help="Its digest instead, or the digest that it names; an image's own.")
    ] = "",
    key: Annotated[Path | None, typer.Option("--key", help="cosign-key: the public key, as PEM or DER.")] = None,
    identity: Annotated[list[str] | None, typer.Option("--identity", help="A signer that is accepted.")] = None,
    identity_regexp: Annotated[
        list[str] | None, typer.Option("--identity-regexp", help="sigstore: signers that are accepted; use ^…$.")
    ] = None,
    issuer: Annotated[str, typer.Option("--issuer", help="sigstore: who must vouch for the signer.")] = "",
    at: Annotated[str, typer.Option("--at", help="The moment to judge at, such as 2026-11-25T00:00:00Z.")] = "",
    config: ConfigFile = DEFAULT_CONFIG,
    output: OutputFormat = Format.TABLE,
) -> None:
    """Tells whether an image is trusted and fresh, or whether one signature holds.

    An image is judged by the settings, in four answers: its signature, as trust asks for it; its provenance, which
    must not name a repository that is not known to produce it; its freshness: all its platforms must stand on what
    their base shows now, by the layers that the service has observed; and what the gate says of what is inside.
    With --kind signatures are judged by the options: the one in a file, or those that the registry keeps of an
    image and of each platform in it, one of which must hold for each. Of the settings only registries count then.
    Revocation is not checked.

    Exit codes: 0 it holds, 1 it does not, 2 bad input, 3 cannot tell.
    """
    if kind is None:
        _refuse_options(
            {"--media-type": media_type, "--trust-dir": trust_dir, "--trust-store": trust_store}
            | {"--trusted-root": trusted_root, "--artifact": artifact, "--digest": digest, "--key": key}
            | {"--identity": identity, "--identity-regexp": identity_regexp, "--issuer": issuer, "--at": at}
        )
        _verify_image(subject, config, output)
        return
    file = Path(subject)
    _refuse_strangers(
        kind,
        {
            "--media-type": (media_type, Kind.NOTATION),
            "--trust-dir": (trust_dir, Kind.NOTATION),
            "--trust-store": (trust_store, Kind.NOTATION),
            "--trusted-root": (trusted_root, Kind.SIGSTORE),
            "--identity-regexp": (identity_regexp, Kind.SIGSTORE),
            "--issuer": (issuer, Kind.SIGSTORE),
            "--key": (key, Kind.COSIGN_KEY),
        },
    )
    if identity and kind is Kind.COSIGN_KEY:
        raise bad("--identity is not read with --kind cosign-key", "the key is the identity; leave it out")
    options = TrustOptions(
        kind,
        media_type,
        trust_dir,
        tuple(trust_store or ()),
        timestamp,
        trusted_root,
        tuple(identity or ()),
        tuple(identity_regexp or ()),
        issuer,
        key,
    )
    moment = _moment(at)
    reference = None if file.exists() else _image(subject)
    if reference is None:
        encoded, asked = read(file), _asked(artifact, digest)
        verdict = _of_file(encoded, options, asked, moment)
        given = _given(file, artifact, options, asked, moment)
    elif artifact is not None:
        raise bad("--artifact is read with a file only", "an image is what its digest names; leave it out")
    else:
        image = _of_image(_at_digest(reference, digest), options, moment, config)
        verdict = image.verdict
        given = {"image": str(image.reference), "digest": image.digest, "parts": _parts(image)}
    _show(verdict.noting(*options.notes), given, output)
    raise typer.Exit(_exit_code(verdict))


def _image(subject: str) -> "Reference | None":
    """The image that the text names with its registry; None where it can only be a file's name."""
    from bot.domain.reference import DEFAULT_REGISTRY, InvalidReference, Reference

    try:
        reference = Reference.parse(subject)
    except InvalidReference:
        return None
    is_written = reference.registry != DEFAULT_REGISTRY or reference.name.startswith(DEFAULT_REGISTRY)
    return reference if is_written else None


def _at_digest(reference: "Reference", digest: str) -> "Reference":
    wanted = _asked(None, digest).digest
    if wanted and reference.digest not in (None, wanted):
        raise bad(f"{reference} has another digest than --digest", "name one of them")
    return reference.at(reference.tag, wanted or reference.digest)


def _of_image(reference: "Reference", options: TrustOptions, at: datetime, config: Path) -> "SignedImage":
    import asyncio

    from bot.domain.clock import SystemClock
    from bot.service.commands.images.signed_image import judge_signatures
    from bot.settings import Settings, load

    is_default = config == DEFAULT_CONFIG and not config.exists()
    settings = Settings() if is_default else load(config)
    wanted, trusted = options.media_type, options.trusted()
    with _cannot_tell_where_nobody_answers():
        return asyncio.run(
            judge_signatures(
                settings,
                reference,
                trusted,
                at,
                SystemClock(),
                counts=lambda found: not wanted or found.unreadable != "" or found.media_type == wanted,
            )
        )


@contextmanager
def _cannot_tell_where_nobody_answers() -> Iterator[None]:
    """Ends the command with `_CANNOT_TELL` where a registry does not say: which is not "unsigned"."""
    from bot.domain.failure import Failure, Trouble

    try:
        yield
    except Failure as failure:
        is_refused = failure.trouble is Trouble.DENIED and failure.status is not None
        if not failure.trouble.is_passing and not is_refused:
            raise
        print(f"cannot tell: {failure}", file=sys.stderr)
        raise typer.Exit(_CANNOT_TELL) from None


def _parts(found: "SignedImage") -> list[dict[str, Any]]:
    return [
        {
            "platform": part.platform or None,
            "digest": part.digest,
            "signatures": len(part.verdicts),
            "strict": str(part.verdict(found.kind)),
        }
        for part in found.parts
    ]


def _verify_image(name: str, config: Path, output: Format) -> None:
    import asyncio

    from bot.cli.output import print_json, print_line
    from bot.domain.clock import SystemClock
    from bot.service.commands.images.verify import judge_image
    from bot.settings import load

    settings = load(config)
    with _cannot_tell_where_nobody_answers():
        judged = asyncio.run(judge_image(settings, name, SystemClock()))
    if output is Format.JSON:
        print_json(judged.as_json())
    else:
        for line in judged.lines():
            print_line(line)
    raise typer.Exit(judged.exit_code)


def _refuse_options(options: Mapping[str, object]) -> None:
    """Refuses options that are not read: they would look as if they had been checked."""
    for name, value in options.items():
        if value:
            raise bad(f"{name} is read with --kind only", "an image is judged by the settings; leave it out")


def _of_file(encoded: bytes, options: TrustOptions, asked: "Asked", at: datetime) -> "Verdict":
    from bot.verify.signatures.cosign.verifying import verify_keyless, verify_with_key
    from bot.verify.signatures.notation.verifying import MEDIA_TYPES, verify_notation

    media_type = options.media_type
    if options.kind is Kind.NOTATION and media_type not in MEDIA_TYPES:
        raise bad("--media-type must be given", f"one of {', '.join(MEDIA_TYPES)}")
    if options.kind is not Kind.NOTATION and not asked.wanted and (options.trusted_root or options.key):
        raise bad("--artifact or --digest must be given", "a signature holds for something only")
    trusted = options.trusted()
    if trusted.notation is not None:
        verdict = verify_notation(encoded, media_type, trusted.notation, at, digests=_digests(asked))
        unasked = "no --artifact and no --digest: whatever it was made for, the signature was judged"
        return verdict if asked.wanted else verdict.noting(unasked)
    if trusted.keyless is not None:
        return verify_keyless(encoded, *trusted.keyless, asked)
    assert trusted.key is not None, "one kind is trusted"
    return verify_with_key(encoded, trusted.key, asked)


def _given(
    file: Path, artifact: Path | None, options: TrustOptions, asked: "Asked", at: datetime
) -> dict[str, Any]:
    """What was given, in the fields of the recorded cases."""
    match options.kind:
        case Kind.NOTATION:
            return {
                "file": file,
                "media_type": options.media_type,
                "trust_dir": options.trust_dir,
                "trust_stores": options.trust_stores,
                "trusted_identities": options.identities or ["*"],
                "verify_timestamp": options.timestamp,
                "verify_at": at.isoformat(),
            }
        case Kind.SIGSTORE:
            identity = {"san": options.identities, "san_regexp": options.identity_regexps}
            return {
                "bundle": file,
                "artifact": artifact,
                "digest": asked.wanted,
                "trusted_root": options.trusted_root,
                "identity": {**identity, "issuer": options.issuer or None},
            }
        case Kind.COSIGN_KEY:
            return {"file": file, "artifact": artifact, "digest": asked.wanted, "key": options.key}


def _asked(artifact: Path | None, digest: str) -> "Asked":
    from bot.verify.signatures.cosign.verifying import Asked

    algorithm, _, value = digest.partition(":")
    if digest and (len(value) != _DIGEST_LENGTHS.get(algorithm) or set(value) - set("0123456789abcdef")):
        raise bad(f"{digest!r} is no digest", "write sha256: and 64 small hexadecimal digits")
    return Asked(read(artifact, _LARGEST_ARTIFACT) if artifact is not None else None, digest)


def _digests(asked: "Asked") -> list[str]:
    import hashlib

    if asked.artifact is None:
        return [asked.digest] if asked.digest else []
    found = [f"{name}:{hashlib.new(name, asked.artifact).hexdigest()}" for name in _DIGEST_LENGTHS]
    if asked.digest and asked.digest not in found:
        raise bad("--artifact is not what --digest names", "give one of them, or the file that has this digest")
    return [asked.digest] if asked.digest else found


def _moment(at: str) -> datetime:
    from datetime import UTC

    from bot.domain.clock import SystemClock

    if not at:
        return SystemClock().now()
    try:
        moment = datetime.fromisoformat(at)
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        raise bad(f"--at {at!r} is no moment", "write it with its zone, such as 2026-11-25T00:00:00Z")
    return moment.astimezone(UTC)


def _refuse_strangers(kind: Kind, options: dict[str, tuple[object, Kind]]) -> None:
    """Refuses options that the kind does not read: they would look as if they had been checked."""
    for name, (value, owner) in options.items():
        if value and owner is not kind:
            raise bad(f"{name} is read with --kind {owner} only", "leave it out")


def _exit_code(verdict: "Verdict") -> int:
    from bot.verify.signatures.verdict import Outcome

    return {Outcome.VALID: _HOLDS, Outcome.INVALID: _DOES_NOT_HOLD, Outcome.CANNOT_TELL: _CANNOT_TELL}[
        verdict.outcome
    ]


def _show(verdict: "Verdict", given: dict[str, Any], output: Format) -> None:
    from bot.cli.output import print_json, print_line, print_table
    from bot.verify.signatures.verdict import REVOCATION

    if output is Format.JSON:
        print_json(
            {
                "kind": verdict.kind,
                **given,
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
