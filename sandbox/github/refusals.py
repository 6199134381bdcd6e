"""What GitHub says no with."""

from collections.abc import Mapping
from typing import Any

Json = Any
DOCUMENTATION = "https://docs.github.com/rest"


class Refused(Exception):
    """Answered to the client as GitHub would; GraphQL makes an entry of `errors` of it."""

    def __init__(
        self,
        status: int,
        message: str,
        errors: list[Json] | None = None,
        *,
        headers: Mapping[str, str] | None = None,
        kind: str | None = None,
    ) -> None:
        self.status = status
        self.message = message
        self.errors = errors
        self.headers = dict(headers or {})
        self.kind = kind
        """GraphQL's `type`, where it does not follow from the status."""
        super().__init__(message)

    @property
    def body(self) -> dict[str, Json]:
        body = {"message": self.message, "documentation_url": DOCUMENTATION, "status": str(self.status)}
        return body if self.errors is None else {**body, "errors": self.errors}


def unprocessable(resource: str, message: str) -> Refused:
    """A rule of the resource's own that does not hold."""
    return Refused(422, "Validation Failed", [{"resource": resource, "code": "custom", "message": message}])


MOST_BODY = 65_536
"""Bytes of the body of an issue, a pull request or a comment. Whether GitHub counts those or characters is told
both ways."""


def check_body(body: Json) -> None:
    """Raises `Refused` where a body is longer than GitHub takes."""
    if isinstance(body, str) and len(body.encode(errors="replace")) > MOST_BODY:
        told = f"body is too long (maximum is {MOST_BODY} characters)"
        rows = [{"resource": "Issue", "code": "custom", "field": "body", "message": told}]
        raise Refused(422, "Validation Failed", rows)


def invalid(resource: str, field_name: str) -> Refused:
    return Refused(422, "Validation Failed", [{"resource": resource, "field": field_name, "code": "invalid"}])
