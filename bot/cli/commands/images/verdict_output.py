"""How a verdict about signatures is shown, and as which exit code it ends the command."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import typer

from bot.cli.options import Format
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
