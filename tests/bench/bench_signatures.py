"""One signature judged anew and from memory, for each kind."""

import json
import time
from collections.abc import Callable
from typing import Any

from bot.images.signatures.cosign.policy import accepting
from bot.images.signatures.cosign.trusted_root import read_trusted_root
from bot.images.signatures.cosign.verifying import SignedSubject, verify_keyless
from bot.images.signatures.notation.names import read_identity
from bot.images.signatures.notation.trust_store import TrustStore, load_stores
from bot.images.signatures.notation.verifying import NotationPolicy, verify_notation
from bot.images.signatures.verdict import Remembered, SignatureVerdict
from tests.bench.measured import Measured
from tests.conftest import SHARED
from tests.unit.images.signatures.making import IDENTITY, NOW, Draft, chain_of_three, cose
from tests.unit.images.signatures.private_sigstore import (
    ARTIFACT,
    ISSUER,
    PrivateSigstore,
    message_bundle,
    older_bundle,
)
from tests.unit.images.signatures.private_sigstore import IDENTITY as WORKFLOW

_TIMES = 100


def run() -> list[Measured]:
    """What was measured, the figure, the aim."""
    found: list[Measured] = []
    for name, (encoded, judge) in _kinds().items():
        remembered = Remembered()
        found.append(_row(f"signature, {name}: judged anew", judge, 20))
        again = lambda: remembered.verdict(encoded, name, NOW, judge)  # noqa: B023, E731 - used in this turn only
        found.append(_row(f"signature, {name}: from memory", again, 1))
    return found


def _kinds() -> dict[str, tuple[bytes, Callable[[], SignatureVerdict]]]:
    now = NOW
    signer = chain_of_three()
    envelope = cose(Draft(signer))
    policy = NotationPolicy(TrustStore(ca=(signer.chain[-1],)), (read_identity(IDENTITY),))
    sigstore = PrivateSigstore.open()
    workflow = sigstore.certificate()
    root = read_trusted_root(sigstore.trusted_root())
    accepted, asked = accepting([WORKFLOW], [], ISSUER), SignedSubject(ARTIFACT)
    bundle = json.dumps(message_bundle(sigstore, workflow)).encode()
    older = json.dumps(older_bundle(sigstore, workflow)).encode()
    kinds: dict[str, tuple[bytes, Callable[[], SignatureVerdict]]] = {
        "notation": (envelope, lambda: verify_notation(envelope, "application/cose", policy, now)),
        "sigstore bundle": (bundle, lambda: verify_keyless(bundle, root, accepted, asked)),
        "sigstore older layout": (older, lambda: verify_keyless(older, root, accepted, asked)),
    }
    recorded: Any = SHARED / "evidence" / "notation" / "generated"
    if recorded.is_dir():
        stamped = (recorded / "chain3-ps384-ts.cose.sig").read_bytes()
        store = load_stores(recorded / "truststore", ["ca:root", "tsa:tsa-root"])
        trusted = NotationPolicy(store, (read_identity("*"),))
        kinds["notation with a timestamp"] = (
            stamped,
            lambda: verify_notation(stamped, "application/cose", trusted, now),
        )
    return kinds


def _row(what: str, judge: Callable[[], SignatureVerdict], aim: int) -> Measured:
    took = _milliseconds(judge)
    return Measured(what, f"{took:.2f} ms", f"below {aim} ms", took < aim)


def _milliseconds(judge: Callable[[], SignatureVerdict]) -> float:
    if not judge().is_valid:
        raise RuntimeError("a signature that must hold does not")
    started = time.perf_counter()
    for _ in range(_TIMES):
        judge()
    return (time.perf_counter() - started) / _TIMES * 1000
