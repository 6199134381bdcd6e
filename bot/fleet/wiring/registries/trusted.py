"""Whom the rules of trust name, as their files have it now: keys, roots and stores are replaced while the bot runs.

Each set has a mark, of the rule and of all that its files hold. What was judged under another is judged again.
"""

import hashlib
from collections.abc import Callable, Iterator
from functools import lru_cache
from pathlib import Path

from bot.domain.failure import Failure, Trouble
from bot.images.signatures.verdict import Refused
from bot.images.trust.judging import Trusted
from bot.settings.sections.trust import TrustRuleSettings, TrustSettings

_LARGEST_FILE = 4 * 1024 * 1024


def trusted_by(trust: TrustSettings, rule: TrustRuleSettings) -> Trusted:
    """Whose signatures a rule accepts, named by its mark. Raises `Failure` where a file of it cannot be read."""
    return _read_trusted(rule.model_dump_json(), _mark(trust, rule))


def _mark(trust: TrustSettings, rule: TrustRuleSettings) -> str:
    """Changes with a rule and with what its files hold; that one cannot be read is something else than before."""
    digest = hashlib.sha256("\n".join((rule.model_dump_json(), *trust.isolated_builders)).encode())
    for path in _files_of(rule):
        try:
            content = _first_bytes(path)
        except OSError as error:
            content = str(error.errno).encode()
        path_bytes = str(path).encode()
        digest.update(len(path_bytes).to_bytes(8) + path_bytes + len(content).to_bytes(8) + content)
    return digest.hexdigest()[:32]


def statement_marks(trust: TrustSettings) -> Callable[[str], str | None]:
    """Tells the mark of who may sign statements about a `registry/name`, None where nobody is named. Files are read
    once for all that is asked."""
    marks = {id(rule): _mark(trust, rule) for rule in _trusting_statements(trust)}

    def mark(name: str) -> str | None:
        rule = trust.rule_for(name)
        return None if rule is None else marks.get(id(rule))

    return mark


def trust_mark(trust: TrustSettings) -> str:
    """Returns a mark that changes with whom any rule trusts with statements."""
    return "".join(_mark(trust, rule) for rule in _trusting_statements(trust))


def _trusting_statements(trust: TrustSettings) -> list[TrustRuleSettings]:
    return [rule for rule in trust.rules if rule.trusts_statements]


def _files_of(rule: TrustRuleSettings) -> Iterator[Path]:
    if rule.key is not None:
        yield rule.key
    if rule.keyless is not None:
        yield rule.keyless.trusted_root
    for store in rule.notation.stores if rule.notation is not None else ():
        kind, _, name = store.partition(":")
        folder = rule.notation.trust_dir / "x509" / kind / name if rule.notation is not None else Path()
        try:
            yield from sorted(path for path in folder.iterdir() if path.is_file())
        except OSError:
            yield folder


@lru_cache(maxsize=200)
def _read_trusted(rule: str, mark: str) -> Trusted:
    """Reads what a rule names once, and anew where that is something else."""
    from bot.images.signatures.cosign.keys import read_public_key
    from bot.images.signatures.cosign.policy import accepting
    from bot.images.signatures.cosign.trusted_root import read_trusted_root
    from bot.images.signatures.notation.names import read_identities
    from bot.images.signatures.notation.trust_store import load_stores
    from bot.images.signatures.notation.verifying import NotationPolicy

    settings = TrustRuleSettings.model_validate_json(rule)
    notation = keyless = key = None
    try:
        if settings.notation is not None:
            stores = load_stores(settings.notation.trust_dir, settings.notation.stores)
            identities = read_identities(settings.notation.identities)
            notation = NotationPolicy(stores, identities)
    except Refused as refused:
        raise Failure(Trouble.MALFORMED, refused.what, where="trust", advice=refused.advice) from None
    if settings.keyless is not None:
        root = read_trusted_root(
            _read_file(settings.keyless.trusted_root), where=str(settings.keyless.trusted_root)
        )
        who = settings.keyless
        keyless = (root, accepting(who.identities, who.identity_regexps, who.issuer))
    if settings.key is not None:
        key = read_public_key(_read_file(settings.key), where=str(settings.key))
    return Trusted(mark, notation, keyless, key)


def _read_file(path: Path) -> bytes:
    try:
        return _first_bytes(path)
    except OSError as error:
        reason = f"cannot be read: {error.strerror or error}"
        raise Failure(Trouble.MALFORMED, reason, where=str(path), advice="mount it there") from None


def _first_bytes(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(_LARGEST_FILE)
