"""Where people look at a repository, and at a line of a file there: a name alone tells at which forge it is."""

from urllib.parse import quote

from bot.domain.repositories.repository import AZURE_DEVOPS, is_name_at

_AZURE = "https://dev.azure.com"


def repository_url(web: str, repository: str) -> str:
    """`web` is where GitHub shows repositories to people."""
    if not is_name_at(AZURE_DEVOPS, repository):
        return f"{web}/{quote(repository)}"
    organization, project, name = (quote(part, safe="") for part in repository.split("/"))
    return f"{_AZURE}/{organization}/{project}/_git/{name}"


def file_url(web: str, repository: str, ref: str, path: str, line: int | None = None) -> str:
    """A file of a branch, or of a commit."""
    home = repository_url(web, repository)
    whole = path.encode("utf-8", "surrogateescape")
    if not is_name_at(AZURE_DEVOPS, repository):
        location = quote(f"{ref}/".encode() + whole)
        return f"{home}/blob/{location}" + ("" if line is None else f"#L{line}")
    kind = "GC" if len(ref) == 40 and set(ref) <= set("0123456789abcdef") else "GB"
    place = f"{home}?path=/{quote(whole)}&version={kind}{quote(ref, safe='')}"
    return place if line is None else f"{place}&line={line}&lineEnd={line + 1}&lineStartColumn=1&lineEndColumn=1"
