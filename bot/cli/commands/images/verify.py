"""`verify`: whether an image or a signature holds, as one exit code for a build or deploy job."""

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bot.cli.asking import waited_for
from bot.cli.commands.images.judged import (
    asked_about,
    at_digest,
    cannot_tell_where_nobody_answers,
    exit_code,
    given_fields,
    image_named,
    judge_file,
    judge_kept_signatures,
    moment_of,
    parts_as_json,
    show_verdict,
)
from bot.cli.commands.images.trust_options import SignatureKind, Timestamping, TrustOptions, bad, read
from bot.cli.options import DEFAULT_CONFIG, ConfigFile, Format, OutputFormat

if TYPE_CHECKING:
    from bot.images.signatures.verdict import SignatureVerdict


def verify(
    subject: Annotated[
        str, typer.Argument(metavar="IMAGE|FILE", help="An image; with --kind also the file of one signature.")
    ],
    kind: Annotated[
        SignatureKind | None,
        typer.Option("--kind", help="Judge signatures of this kind by the options, not the settings."),
    ] = None,
    media_type: Annotated[
        str, typer.Option("--media-type", help="notation: application/cose or application/jose+json.")
    ] = "",
    trust_dir: Annotated[
        Path | None, typer.Option("--trust-dir", help="notation: the folder with x509/TYPE/NAME/ in it.")
    ] = None,
    trust_store: Annotated[
        list[str] | None,
        typer.Option(
            "--trust-store", metavar="TYPE:NAME", help="notation: TYPE:NAME, such as ca:contoso or tsa:contoso."
        ),
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
    identity: Annotated[
        list[str] | None, typer.Option("--identity", metavar="IDENTITY", help="A signer that is accepted.")
    ] = None,
    identity_regexp: Annotated[
        list[str] | None,
        typer.Option("--identity-regexp", metavar="PATTERN", help="sigstore: signers that are accepted; use ^…$."),
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

    Example: freshness-bot verify ghcr.io/contoso/shop:1 -c freshness.yaml
    """
    if kind is None:
        _refuse_options(
            {"--media-type": media_type, "--trust-dir": trust_dir, "--trust-store": trust_store}
            | {"--trusted-root": trusted_root, "--artifact": artifact, "--digest": digest, "--key": key}
            | {"--identity": identity, "--identity-regexp": identity_regexp, "--issuer": issuer, "--at": at}
        )
        _verify_image(subject, config, output)
        return
    _refuse_strangers(
        kind,
        {
            "--media-type": (media_type, SignatureKind.NOTATION),
            "--trust-dir": (trust_dir, SignatureKind.NOTATION),
            "--trust-store": (trust_store, SignatureKind.NOTATION),
            "--trusted-root": (trusted_root, SignatureKind.SIGSTORE),
            "--identity-regexp": (identity_regexp, SignatureKind.SIGSTORE),
            "--issuer": (issuer, SignatureKind.SIGSTORE),
            "--key": (key, SignatureKind.COSIGN_KEY),
        },
    )
    if identity and kind is SignatureKind.COSIGN_KEY:
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
    verdict, fields = _judge(subject, options, artifact, digest, moment_of(at), config)
    show_verdict(verdict.noting(*options.notes), fields, output)
    raise typer.Exit(exit_code(verdict))


def _judge(
    subject: str, options: TrustOptions, artifact: Path | None, digest: str, moment: datetime, config: Path
) -> "tuple[SignatureVerdict, dict[str, Any]]":
    """The verdict by the options, of the file with that name or else of the image, and what was given for it."""
    file = Path(subject)
    reference = None if file.exists() else image_named(subject)
    if reference is None:
        encoded, signed_subject = read(file), asked_about(artifact, digest)
        verdict = judge_file(encoded, options, signed_subject, moment)
        return verdict, given_fields(file, artifact, options, signed_subject, moment)
    if artifact is not None:
        raise bad("--artifact is read with a file only", "an image is what its digest names; leave it out")
    image = judge_kept_signatures(at_digest(reference, digest), options, moment, config)
    return image.verdict, {"image": str(image.reference), "digest": image.digest, "parts": parts_as_json(image)}


def _verify_image(name: str, config: Path, output: Format) -> None:
    from bot.cli.screen.output import print_json, print_line
    from bot.commands.images.verify import judge_image
    from bot.domain.clock import SystemClock
    from bot.settings import load

    settings = load(config)
    with cannot_tell_where_nobody_answers():
        judged = waited_for(judge_image(settings, name, SystemClock()))
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


def _refuse_strangers(kind: SignatureKind, options: dict[str, tuple[object, SignatureKind]]) -> None:
    """Refuses options that the kind does not read: they would look as if they had been checked."""
    for name, (value, owner) in options.items():
        if value and owner is not kind:
            raise bad(f"{name} is read with --kind {owner} only", "leave it out")
