"""OSV's API beside the dumps, as https://google.github.io/osv.dev/api/ describes it."""

import json
from collections.abc import Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from bot.domain.packages.versions import compare_versions

Json = Any
Records = Mapping[str, Mapping[str, Json]]
"""Of each ecosystem, by their ids."""

MOST_QUERIES = 1_000
_TYPES = {"NuGet": "nuget", "Ubuntu": "deb", "Debian": "deb", "Alpine": "apk", "Azure Linux": "rpm"}


async def query_batch(request: Request, records: Records, page_size: int) -> Response:
    """Answers in the order of the questions, ids and times alone; a token for each that has more."""
    body = json.loads(await request.body())
    queries = body.get("queries") if isinstance(body, dict) else None
    if not isinstance(queries, list) or len(queries) > MOST_QUERIES or not all(map(_is_query, queries)):
        return JSONResponse({"code": 3, "message": "Invalid queries."}, 400)
    return JSONResponse({"results": [_result(query, records, page_size) for query in queries]})


def record(name: str, records: Records) -> Response:
    """A record as it is published."""
    for listed in records.values():
        if name in listed:
            return JSONResponse(listed[name])
    return JSONResponse({"code": 5, "message": "Vulnerability not found."}, 404)


def _is_query(query: Json) -> bool:
    match query:
        case {"package": {"name": str(), "ecosystem": str(), **other}, "version": str(), **more}:
            return not other and more.keys() <= {"page_token"}
        case _:
            return False


def _result(query: Json, records: Records, page_size: int) -> Json:
    package, version = query["package"], query["version"]
    found = [
        {"id": each["id"], "modified": each["modified"]}
        for each in records.get(package["ecosystem"].partition(":")[0], {}).values()
        if any(_affects(listed, package, version) for listed in each["affected"])
    ]
    begin = int(query.get("page_token") or 0)
    page = found[begin : begin + page_size]
    result: dict[str, Json] = {"vulns": page} if page else {}
    return result | {"next_page_token": str(begin + page_size)} if found[begin + page_size :] else result


def _affects(listed: Json, package: Json, version: str) -> bool:
    if (listed["package"]["name"], listed["package"]["ecosystem"]) != (package["name"], package["ecosystem"]):
        return False
    kind = _TYPES[package["ecosystem"].partition(":")[0]]
    fixed = [event["fixed"] for each in listed["ranges"] for event in each["events"] if "fixed" in event]
    return version in listed.get("versions", ()) or not fixed or compare_versions(kind, version, fixed[0]) < 0
