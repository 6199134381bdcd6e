"""What the form of a token of GitHub tells of it."""


def is_of_app(token: str) -> bool:
    """Whether an App's installation was given the token, as a workflow is given its own: it sees the repositories
    of that installation and no others, can list these, and GitHub signs what is committed with it."""
    return token.startswith("ghs_")
