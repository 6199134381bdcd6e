"""Why the forge refuses a write, or finds a repository no more under its name, as failures of their own."""

from bot.domain.failure import Failure, Trouble


class BranchMoved(Failure):
    """The branch is not where it was when it was looked at; nothing was written over that."""

    def __init__(self, branch: str, said: str, where: str = "") -> None:
        super().__init__(
            Trouble.CONFLICT,
            f"{branch} was moved by somebody else, or a rule of the repository keeps it ({said})",
            where=where,
            advice="the next attempt looks again",
        )


class BranchRefused(Failure):
    """A rule of the repository does not let the bot make or move the branch, or commit to it."""

    def __init__(self, branch: str, rule: str, advice: str, where: str = "") -> None:
        super().__init__(
            Trouble.DENIED, f"a rule of the repository refuses {branch}: {rule}", where=where, advice=advice
        )


class FilesDenied(Failure):
    """The credentials may change the repository, but not the files under `folder`, for want of `right`."""

    def __init__(self, folder: str, right: str, where: str = "") -> None:
        super().__init__(
            Trouble.DENIED, f"the right to change {folder} is missing", where=where, advice=f"grant {right}"
        )
        self.folder = folder
        self.right = right


class RepositoryArchived(Failure):
    """The repository takes no changes, until somebody unarchives it."""

    def __init__(self, where: str) -> None:
        super().__init__(Trouble.DENIED, "the repository is archived", where=where)


class RepositoryMoved(Failure):
    """The repository is reached under another name now: it was renamed or transferred."""

    def __init__(self, where: str) -> None:
        super().__init__(
            Trouble.CONFLICT,
            "the repository has another name now",
            where=where,
            advice="the next attempt looks it up again",
        )
