"""The gate settings as what images are judged by."""

import hashlib

from bot.fleet.stage import Bot
from bot.fleet.verify.gating.judging import Gating
from bot.fleet.verify.gating.ports import GateOptions
from bot.fleet.verify.gating.rows import GatingStore
from bot.fleet.wiring.registries.beside import vex_beside
from bot.fleet.wiring.registries.trusted import trust_mark
from bot.fleet.wiring.vex import read_vex_file
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


def gating_of(bot: Bot) -> Gating:
    """The gate; VEX documents are read anew, so that another one counts without a restart."""
    return Gating(bot.stores[GatingStore], gate_options_of(bot.settings), bot.clock, vex_beside(bot))
