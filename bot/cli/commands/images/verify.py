"""`verify`: whether a signature holds, as one exit code for a build or deploy job."""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bot.cli.options import DEFAULT_CONFIG, ConfigFile, Format, OutputFormat

if TYPE_CHECKING:
    from bot.verify.signatures.cosign.verifying import Asked
    from bot.verify.signatures.verdict import Verdict

_HOLDS, _DOES_NOT_HOLD, _CANNOT_TELL = 0, 1, 3
_LARGEST_SIGNATURE = 16 * 1024 * 1024
_LARGEST_ARTIFACT = 1024 * 1024 * 1024
_DIGEST_LENGTHS = {"sha256": 64, "sha384": 96, "sha512": 128}


class Kind(StrEnum):
    """What made the signature."""

    NOTATION = "notation"
    SIGSTORE = "sigstore"
    COSIGN_KEY = "cosign-key"


class Timestamping(StrEnum):
    """When a countersignature is asked for."""

    ALWAYS = "always"
    AFTER_CERT_EXPIRY = "afterCertExpiry"


def verify(
    subject: Annotated[
        str, typer.Argument(metavar="IMAGE|FILE", help="An image; with --kind the file of one signature.")
    ],
    kind: Annotated[Kind | None, typer.Option("--kind", help="Judge one signature's file: what made it.")] = None,
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
    digest: Annotated[str, typer.Option("--digest", help="Its digest instead, or the digest that it names.")] = "",
    key: Annotated[Path | None, typer.Option("--key", help="cosign-key: the public key, as PEM.")] = None,
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

    An image is judged by the settings: signed as trust asks for it, and standing on what its base shows now, by the
    layers that the service has observed. With --kind one signature is judged by the options. Revocation is not
    checked.

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
        raise _bad("--identity is not read with --kind cosign-key", "the key is the identity; leave it out")
    encoded = _read(file, _LARGEST_SIGNATURE)
    asked = _asked(artifact, digest)
    moment = _moment(at)
    match kind:
        case Kind.NOTATION:
            given: dict[str, Any] = {
                "file": file,
                "media_type": media_type,
                "trust_dir": trust_dir,
                "trust_stores": trust_store or [],
                "trusted_identities": identity or ["*"],
                "verify_timestamp": timestamp,
                "verify_at": moment.isoformat(),
            }
            verdict = _by_notation(encoded, given, asked, moment)
        case Kind.SIGSTORE:
            given = {"bundle": file, "artifact": artifact, "digest": asked.wanted, "trusted_root": trusted_root}
            given["identity"] = {
                "san": identity or [],
                "san_regexp": identity_regexp or [],
                "issuer": issuer or None,
            }
            verdict = _by_sigstore(encoded, given, asked)
        case Kind.COSIGN_KEY:
            given = {"file": file, "artifact": artifact, "digest": asked.wanted, "key": key}
            verdict = _by_key(encoded, key, asked)
    _show(verdict, given, output)
    raise typer.Exit(_exit_code(verdict))


def _verify_image(name: str, config: Path, output: Format) -> None:
    import asyncio

    from bot.cli.output import print_json, print_line
    from bot.domain.clock import SystemClock
    from bot.service.commands.images.verify import judge_image
    from bot.settings import load

    judged = asyncio.run(judge_image(load(config), name, SystemClock()))
    if output is Format.JSON:
        print_json(judged.as_json())
    else:
        for line in judged.lines():
            print_line(line)
    raise typer.Exit(judged.exit_code)


def _refuse_options(options: Mapping[str, object]) -> None:
    """An option that is not read would look as if it had been checked."""
    for name, value in options.items():
        if value:
            raise _bad(f"{name} is read with --kind only", "an image is judged by the settings; leave it out")


def _by_notation(encoded: bytes, given: dict[str, Any], asked: "Asked", at: datetime) -> "Verdict":
    from bot.verify.signatures.notation.names import read_identity
    from bot.verify.signatures.notation.trust_store import load_stores
    from bot.verify.signatures.notation.verifying import (
        MEDIA_TYPES,
        NotationPolicy,
        WhenTimestamped,
        verify_notation,
    )
    from bot.verify.signatures.verdict import Refused

    if given["media_type"] not in MEDIA_TYPES:
        raise _bad("--media-type must be given", f"one of {', '.join(MEDIA_TYPES)}")
    if given["trust_dir"] is None or not given["trust_stores"]:
        raise _bad("--trust-dir and --trust-store must be given", "they hold the roots that are trusted")
    try:
        identities = tuple(read_identity(text) for text in given["trusted_identities"])
    except Refused as refused:
        raise _bad(refused.what, refused.advice) from None
    policy = NotationPolicy(
        load_stores(given["trust_dir"], given["trust_stores"]),
        identities,
        WhenTimestamped(given["verify_timestamp"]),
    )
    verdict = verify_notation(encoded, given["media_type"], policy, at, digests=_digests(asked))
    if not asked.wanted:
        verdict = verdict.noting(
            "no --artifact and no --digest: whatever it was made for, the signature was judged"
        )
    if any(one.is_anybody for one in identities):
        verdict = verdict.noting("any identity under the trusted roots is accepted; name one with --identity")
    return verdict


def _by_sigstore(encoded: bytes, given: dict[str, Any], asked: "Asked") -> "Verdict":
    from bot.verify.signatures.cosign.policy import accepting
    from bot.verify.signatures.cosign.trusted_root import read_trusted_root
    from bot.verify.signatures.cosign.verifying import verify_keyless

    if given["trusted_root"] is None:
        raise _bad("--trusted-root must be given", "it says which authorities and logs are believed")
    _need_subject(asked)
    who = given["identity"]
    policy = accepting(who["san"], who["san_regexp"], who["issuer"])
    root = read_trusted_root(_read(given["trusted_root"], _LARGEST_SIGNATURE), where=str(given["trusted_root"]))
    return verify_keyless(encoded, root, policy, asked)


def _by_key(encoded: bytes, key: Path | None, asked: "Asked") -> "Verdict":
    from bot.verify.signatures.cosign.keys import read_public_key
    from bot.verify.signatures.cosign.verifying import verify_with_key

    if key is None:
        raise _bad("--key must be given", "the public key, as in cosign.pub")
    _need_subject(asked)
    return verify_with_key(encoded, read_public_key(_read(key, _LARGEST_SIGNATURE), where=str(key)), asked)


def _asked(artifact: Path | None, digest: str) -> "Asked":
    from bot.verify.signatures.cosign.verifying import Asked

    algorithm, _, value = digest.partition(":")
    if digest and (len(value) != _DIGEST_LENGTHS.get(algorithm) or set(value) - set("0123456789abcdef")):
        raise _bad(f"{digest!r} is no digest", "write sha256: and 64 small hexadecimal digits")
    return Asked(_read(artifact, _LARGEST_ARTIFACT) if artifact is not None else None, digest)


def _digests(asked: "Asked") -> list[str]:
    import hashlib

    if asked.digest or asked.artifact is None:
        return [asked.digest] if asked.digest else []
    return [f"{name}:{hashlib.new(name, asked.artifact).hexdigest()}" for name in _DIGEST_LENGTHS]


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
        raise _bad(f"--at {at!r} is no moment", "write it with its zone, such as 2026-11-25T00:00:00Z")
    return moment.astimezone(UTC)


def _need_subject(asked: "Asked") -> None:
    if not asked.wanted:
        raise _bad("--artifact or --digest must be given", "a signature holds for something only")


def _refuse_strangers(kind: Kind, options: dict[str, tuple[object, Kind]]) -> None:
    """An option that the kind does not read would look as if it had been checked."""
    for name, (value, owner) in options.items():
        if value and owner is not kind:
            raise _bad(f"{name} is read with --kind {owner} only", "leave it out")


def _read(path: Path, limit: int) -> bytes:
    try:
        with path.open("rb") as file:
            content = file.read(limit + 1)
    except OSError as error:
        raise _bad(f"{path} cannot be read: {error.strerror or error}", "check the path and its rights") from None
    if len(content) > limit:
        raise _bad(f"{path} is larger than {limit} bytes", "give --digest instead of a large artifact")
    return content


def _bad(what: str, advice: str) -> Exception:
    from bot.domain.failure import Failure, Trouble

    return Failure(Trouble.MALFORMED, what, advice=advice)


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
