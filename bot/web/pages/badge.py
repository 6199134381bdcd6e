"""`/badge/OWNER/NAME.svg`, or with a project between: how a repository stands, for its README."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from bot.settings.tokens import Right
from bot.store.pages.fleet.fleet import FleetStore
from bot.views.fleet.fleet import Standing
from bot.web.access.guard import refused
from bot.web.site import site_of

_COLOURS = {Standing.CURRENT: "#1d7f5b", Standing.BEHIND: "#9a5f08", Standing.FAILED: "#b32a3d"}
_OTHER = "#5b6764"
_LETTER = 6.6
"""Width of a letter of the badge's font, on average."""


async def badge(request: Request) -> Response:
    """The badge; of a repository that is not known it says so, with the same status and shape."""
    site = site_of(request)
    if not site.access.has_open_badges and (refusal := await refused(request, Right.READ)) is not None:
        return refusal
    name = "/".join(request.path_params.values())[:255]
    standing = await site.stores[FleetStore].standing(name)
    colour = _OTHER if standing is None else _COLOURS.get(standing, _OTHER)
    drawn = draw("base image", standing.value if standing else "not known", colour)
    return Response(drawn, media_type="image/svg+xml", headers={"Cache-Control": "max-age=300, private"})


def draw(left: str, right: str, colour: str) -> str:
    """Two words beside each other; all three are ours, nothing of them needs escaping."""
    first, second = round(len(left) * _LETTER + 14), round(len(right) * _LETTER + 14)
    width = first + second
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="20" role="img" '
        f'aria-label="{left}: {right}">'
        f"<title>{left}: {right}</title>"
        f'<rect width="{width}" height="20" rx="4" fill="#3a4543"/>'
        f'<path d="M{first} 0h{second - 4}a4 4 0 0 1 4 4v12a4 4 0 0 1-4 4h-{second - 4}z" fill="{colour}"/>'
        '<g fill="#fff" text-anchor="middle" font-family="Verdana,DejaVu Sans,sans-serif" font-size="11">'
        f'<text x="{first / 2}" y="14">{left}</text><text x="{first + second / 2}" y="14">{right}</text></g></svg>'
    )


routes = [
    Route("/badge/{owner}/{name}.svg", badge, name="badge"),
    Route("/badge/{organisation}/{project}/{name}.svg", badge, name="badge of Azure Repos"),
]
