"""The emulator's answers in the shapes of GitHub's description."""

import json
import re
from collections.abc import Mapping, Set
from typing import Any

Json = Any

REF_URL = re.compile(rb'("url":"[^"]*/git)/ref/')
MILLISECONDS = re.compile(rb'(:"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)\.\d{3}Z"')
ACCOUNT_URLS = {
    "followers_url": "/followers",
    "following_url": "/following{/other_user}",
    "gists_url": "/gists{/gist_id}",
    "starred_url": "/starred{/owner}{/repo}",
    "subscriptions_url": "/subscriptions",
    "organizations_url": "/orgs",
    "repos_url": "/repos",
    "events_url": "/events{/privacy}",
    "received_events_url": "/received_events",
}
VERIFIED = {
    "verified": True,
    "reason": "valid",
    "signature": "-----BEGIN PGP SIGNATURE-----\n\n-----END PGP SIGNATURE-----\n",
    "payload": "tree",
    "verified_at": "2026-01-01T00:00:00Z",
}
OF_A_TEAM = {"parent": None, "type": "organization"}
OF_A_LABEL = {"archived_at": None, "archived_by": None}
NO_NULLS = ("company", "location", "email")
"""Fields of an organisation that the description has as text or not at all."""
REPOSITORY_COUNTS = {"network_count": 0, "subscribers_count": 0}


def as_github(content: bytes, overlays: Mapping[str, Mapping[str, Json]], signed: Set[str]) -> Json:
    """The JSON of an answer as GitHub would have written it; None where there is none.

    Times have no milliseconds, references the address at which they can be changed, accounts and repositories
    all their fields. `overlays` are repository fields by full name that replace the emulator's; `signed` are the
    commits that are verified.
    """
    text = REF_URL.sub(rb"\1/refs/", MILLISECONDS.sub(rb'\1Z"', content))
    return _whole(json.loads(text), overlays, signed) if text else None


def _whole(node: Json, overlays: Mapping[str, Mapping[str, Json]], signed: Set[str]) -> Json:
    if isinstance(node, list):
        return [_whole(item, overlays, signed) for item in node]
    if not isinstance(node, dict):
        return node
    whole = {key: _whole(value, overlays, signed) for key, value in node.items()}
    if whole.get("type") == "Organization" and "public_repos" in whole:
        whole = {key: value for key, value in whole.items() if value is not None or key not in NO_NULLS}
        whole.setdefault("archived_at", None)
    if "color" in whole and "default" in whole:
        return {**OF_A_LABEL, **whole}
    if isinstance(whole.get("login"), str) and isinstance(url := whole.get("url"), str):
        missing = {name: url + path for name, path in ACCOUNT_URLS.items()}
        return {**missing, "gravatar_id": "", "site_admin": False, "html_url": url, **whole}
    if isinstance(name := whole.get("full_name"), str):
        pushed = {"pushed_at": whole.get("pushed_at") or whole["created_at"]} if "created_at" in whole else {}
        return {**REPOSITORY_COUNTS, **whole, **pushed, **overlays.get(name, {})}
    if "slug" in whole and "privacy" in whole:
        return {**OF_A_TEAM, **whole}
    if "verification" in whole and signed:
        own = whole.get("sha") or str(whole.get("url", "")).rpartition("/")[2]
        return {**whole, "verification": VERIFIED} if own in signed else whole
    return whole
