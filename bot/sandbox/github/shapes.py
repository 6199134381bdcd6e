"""Fields that GitHub's description demands and the emulator leaves out."""

from typing import Any

Json = Any

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


def completed(node: Json) -> Json:
    """`node` with every account in it made whole."""
    if isinstance(node, list):
        return [completed(item) for item in node]
    if not isinstance(node, dict):
        return node
    whole = {key: completed(value) for key, value in node.items()}
    if isinstance(whole.get("login"), str) and isinstance(url := whole.get("url"), str):
        whole = {**{name: url + path for name, path in ACCOUNT_URLS.items()}, **whole}
        whole.setdefault("gravatar_id", "")
        whole.setdefault("site_admin", False)
        whole.setdefault("html_url", url)
    return whole
