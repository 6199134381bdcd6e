"""What runs and a CVE, as an OpenVEX document: a statement for each build; it knows neither places nor times."""

from datetime import UTC
from typing import Any
from urllib.parse import quote

from bot.domain.images.stated import OPENVEX
from bot.domain.running.exposure import BuildInside
from bot.views.running.exposed import ExposureAnswer, image_name, mover_of

_CONTEXT = f"{OPENVEX}/v0.2.0"


def as_openvex(answer: ExposureAnswer, author: str = "freshness-bot") -> dict[str, Any]:
    """Gives the document as plain JSON values."""
    at = answer.asked.at.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    return {
        "@context": _CONTEXT,
        "@id": f"urn:freshness-bot:{quote(answer.cve)}:{at}",
        "author": author,
        "timestamp": at,
        "version": 1,
        "statements": _statements(answer),
    }


def _statements(answer: ExposureAnswer) -> list[dict[str, Any]]:
    statements: dict[str, dict[str, Any]] = {}
    for place in answer.places:
        mover = mover_of(answer, place)
        action = (
            f"{mover.says} ({mover.who})" if mover is not None and mover.who else "rebuild it, and roll that out"
        )
        names = [image_name(image) for image in place.images] or [""]
        for build in place.builds:
            statements.setdefault(build.digest, _statement(answer, build, names[0], action))
    return [statements[digest] for digest in sorted(statements)]


def _statement(answer: ExposureAnswer, build: BuildInside, name: str, action: str) -> dict[str, Any]:
    digest = build.digest.partition(":")[2]
    product = {"@id": _package_url(name, build.digest), "hashes": {"sha-256": digest}}
    said: dict[str, Any] = {"vulnerability": {"name": answer.cve}, "products": [product]}
    if build.is_affected is None:
        return {**said, "status": "under_investigation", "status_notes": build.why}
    if build.is_affected:
        return {**said, "status": "affected", "action_statement": action}
    return {**said, "status": "not_affected", "impact_statement": build.why}


def _package_url(name: str, digest: str) -> str:
    last = name.rpartition("/")[2].lower() or "image"
    qualifiers = f"?repository_url={quote(name, safe='/')}" if name else ""
    return f"pkg:oci/{quote(last)}@{quote(digest, safe='')}{qualifiers}"
