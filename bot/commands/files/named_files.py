"""Files that settings name beside secrets: keys, roots of trust, documents. Each is read as its reader will."""

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from bot.commands.service.bundle import checker
from bot.domain.failure import Failure
from bot.domain.images.trust import TrustMode
from bot.fleet.verify.attesting.summary import NoSigningKey, signing_key
from bot.fleet.wiring.clusters import cluster_access
from bot.fleet.wiring.registries.trusted import trusted_by
from bot.fleet.wiring.vex import read_vex_file
from bot.settings import BadSettings, Settings, secret
from bot.settings.sections.running import RunningSourceSettings, SourceKind
from bot.settings.sections.trust import TrustRuleSettings
from bot.settings.sections.upstream import DumpSettings
from bot.upstream.osv.addresses import PUBLICATIONS


def check_files(settings: Settings, file: Path) -> None:
    """Raises `BadSettings` with a line for each setting that names what is not there, or something else. `file` is
    where the settings come from."""
    lines = []
    for place, read in _readings(settings):
        try:
            read()
        except Failure as failure:
            lines.append(f"{file}: {place}: {failure}")
        except OSError as error:
            lines.append(f"{file}: {place}: {error.filename}: cannot be read: {error.strerror}; mount it there")
        except (BadSettings, NoSigningKey) as error:
            lines.append(f"{file}: {place}: {error}")
    if lines:
        raise BadSettings(lines)


def _readings(settings: Settings) -> Iterator[tuple[str, Callable[[], object]]]:
    """What is read for each setting, by its name."""
    trust, attest, dumps = settings.trust, settings.images.attest, settings.vulnerabilities
    for number, rule in enumerate(trust.rules):
        if rule.mode is not TrustMode.OFF:
            yield f"trust.rules.{number}{_file_key(rule)}", partial(trusted_by, trust, rule)
    for number, path in enumerate(settings.gate.vex):
        yield f"gate.vex.{number}", partial(read_vex_file, path)
    if settings.feeds.bundle_key is not None:
        yield "feeds.bundle_key", partial(checker, settings.feeds.bundle_key, "", [])
    if attest is not None:
        yield "images.attest.key_file", partial(_read_signing_key, attest.key_file)
    for number, source in enumerate(settings.running.sources):
        if source.kind is SourceKind.KUBERNETES and not source.in_cluster:
            yield f"running.sources.{number}", partial(_read_access, source)
    for name in PUBLICATIONS:
        dump: DumpSettings | None = getattr(dumps, name)
        if dump is not None and dump.file is not None:
            yield f"vulnerabilities.{name}.file", partial(_open, dump.file)


def _read_signing_key(path: Path) -> object:
    return signing_key(secret(path, "images.attest.key_file"))


def _read_access(source: RunningSourceSettings) -> object:
    return cluster_access(source).rules()


def _open(path: Path) -> None:
    with path.open("rb"):
        pass


def _file_key(rule: TrustRuleSettings) -> str:
    """The key that names the rule's file, where it names one alone."""
    keys = {"notation": rule.notation, "keyless": rule.keyless, "key": rule.key}
    keys_given = [key for key, value in keys.items() if value is not None]
    return f".{keys_given[0]}" if len(keys_given) == 1 else ""
