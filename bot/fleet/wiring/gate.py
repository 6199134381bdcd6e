"""The gate settings as what images are judged by."""

import hashlib
from pathlib import Path

from bot.domain.failure import Failure, Trouble
from bot.fleet.stage import Bot
from bot.fleet.verify.gating.judging import Gating
from bot.fleet.verify.gating.ports import GateOptions
from bot.fleet.verify.gating.rows import GatingStore
from bot.fleet.wiring.registries.beside import vex_beside
from bot.fleet.wiring.registries.trusted import trust_mark
from bot.images.vex.statements import LARGEST_VEX, VexStatement, read_vex
from bot.settings import Settings


def gate_options_of(settings: Settings) -> GateOptions:
    """Reads the VEX documents; raises `Failure` where one cannot be read."""
    gate = settings.gate
    documents = [read_vex_file(path) for path in gate.vex]
    statements = [statement for _, read_statements in documents for statement in read_statements]
    options_text = "".join((gate.model_dump_json(), repr(settings.packages.platforms), trust_mark(settings.trust)))
    mark = hashlib.sha256(options_text.encode() + b"".join(data for data, _ in documents)).hexdigest()
    return GateOptions(
        tuple(rule.matched_rule() for rule in gate.rules),
        tuple(each.exception() for each in gate.exceptions),
        tuple(statements),
        frozenset(settings.packages.stored_platforms),
        gate.max_age,
        gate.wait,
        mark,
        bool(settings.reports.artifacts),
    )


def read_vex_file(path: Path) -> tuple[bytes, list[VexStatement]]:
    """Reads a document: its bytes, and what it states; raises `Failure` where it is none."""
    try:
        with path.open("rb") as file:
            data = file.read(LARGEST_VEX + 1)
    except OSError as error:
        reason = f"cannot be read: {error.strerror or error}"
        raise Failure(Trouble.MALFORMED, reason, where=str(path), advice="mount it there, see gate.vex") from None
    return data, list(read_vex(data, str(path)))


def gating_of(bot: Bot) -> Gating:
    """The gate; VEX documents are read anew, so that another one counts without a restart."""
    return Gating(bot.stores[GatingStore], gate_options_of(bot.settings), bot.clock, vex_beside(bot))
