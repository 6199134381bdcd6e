"""Who is meant by a name: people by the address that they sign in with, teams by what their project calls them."""

from collections.abc import Iterable, Mapping
from typing import Any


def person_in(rows: Iterable[Mapping[str, Any]], address: str) -> str | None:
    """The id of the one who signs in with an address; None where that is nobody, or several."""
    return _only(
        row
        for row in rows
        if not row.get("isContainer") and address.lower() in {_text_of(row, "Account"), _text_of(row, "Mail")}
    )


def team_in(rows: Iterable[Mapping[str, Any]], project: str, team: str) -> str | None:
    """The id of a team of a project; None where it has none that is called so."""
    name = f"[{project}]\\{team}".lower()
    return _only(
        row for row in rows if row.get("isContainer") and str(row.get("providerDisplayName") or "").lower() == name
    )


def _only(rows: Iterable[Mapping[str, Any]]) -> str | None:
    ids = {str(row["id"]) for row in rows if row.get("isActive", True)}
    return ids.pop() if len(ids) == 1 else None


def _text_of(row: Mapping[str, Any], key: str) -> str:
    return str(((row.get("properties") or {}).get(key) or {}).get("$value") or "").lower()
