"""Why the forge refuses a write, or finds a repository no more under its name, as failures of their own."""

from enum import Enum

from bot.domain.failure import Failure, Meaning, Trouble


class _OfThisMoment(Failure):
    """The next attempt looks again, and finds it otherwise."""

    @property
    def meaning(self) -> Meaning:
        return Meaning.TRANSIENT


class BranchMoved(_OfThisMoment):
    """The branch is not where it was when it was looked at; nothing was written over that."""

    def __init__(self, branch: str, words: str, place: str = "") -> None:
        super().__init__(
            Trouble.CONFLICT,
            f"{branch} was moved by somebody else, or a rule of the repository keeps it ({words})",
            where=place,
            advice="the next attempt looks again",
        )


_BYPASS = "let the bot bypass that rule"


class BranchRule(Enum):
    """What of a repository's rules keeps the bot from making or moving its branch, or from committing to it.

    Each is told in the forge's sense, with what a person can do about it. Such a rule holds until somebody changes
    it: trying again gains nothing.
    """

    CREATION = "new branches are restricted", f"{_BYPASS}, or set branch_prefix to a name that it allows"
    UPDATE = "updates are restricted", _BYPASS
    PUSHERS = "others alone may push to it", "let the bot push to branches of that name"
    FORCE_PUSH = "force pushes are blocked", f"{_BYPASS}, which brings its branch onto the default branch"
    SIGNATURES = "commits must be signed", "run the bot as a GitHub App, whose commits GitHub signs"
    BRANCH_NAME = (
        "the branch's name does not fit a pattern",
        "set branch_prefix to a name that the pattern takes",
    )
    COMMIT_MESSAGE = (
        "the commit message does not fit a pattern",
        "set commit_message to a line that the pattern takes",
    )
    FILES = "changes of these files are restricted", _BYPASS
    SECRETS = (
        "push protection takes something in these files for a secret",
        "take it out of the default branch, or allow it in the repository's secret scanning",
    )
    LOCKED = "the branch is locked", _BYPASS
    PULL_REQUEST = (
        "it is changed through pull requests alone, although it is the branch of one",
        f"have the rule leave out branches under branch_prefix, or {_BYPASS}",
    )
    CHECKS = (
        "checks must have passed before a commit comes to it",
        f"have the rule leave out branches under branch_prefix, or {_BYPASS}",
    )
    OTHER = "a rule of another kind", _BYPASS

    @property
    def told(self) -> str:
        return self.value[0]

    @property
    def advice(self) -> str:
        return self.value[1]


class BranchRefused(Failure):
    """A rule of the repository does not let the bot make or move the branch, or commit to it.

    `words` are the forge's own, shown where the rule is none of those that are known; `rights` are what would do,
    where the forge has a name for it.
    """

    def __init__(
        self, branch: str, rule: BranchRule, place: str = "", words: str = "", *, rights: str = ""
    ) -> None:
        rule_text = words if words and rule is BranchRule.OTHER else rule.told
        super().__init__(
            Trouble.DENIED,
            f"a rule of the repository refuses {branch}: {rule_text}",
            where=place,
            advice=f"grant {rights}" if rights else rule.advice,
        )
        self.branch = branch
        self.rule = rule


class BranchQueued(_OfThisMoment):
    """The branch is locked while its pull request is in a merge queue; it takes commits again once that is over."""

    def __init__(self, branch: str, place: str = "") -> None:
        super().__init__(
            Trouble.CONFLICT,
            f"the pull request of {branch} is in a merge queue, which lets nobody change its branch",
            where=place,
            advice="it is changed, or a new one opened, once it has left the queue",
        )


class MergesStill(_OfThisMoment):
    """What the bot has set to merge by itself could not be kept from that, which is tried until it can be."""

    def __init__(self, number: int, words: str, place: str = "") -> None:
        super().__init__(
            Trouble.CONFLICT,
            f"pull request #{number} goes on to merge by itself ({words})",
            where=place,
            advice="the next attempt tries to stop that again",
        )


class Denial(Enum):
    """Why credentials that are otherwise in order get no answer, with what a person can do about it."""

    IP_ALLOW_LIST = "add the addresses from which the bot goes out to the organisation's IP allow list"
    SINGLE_SIGN_ON = "authorise the token for the organisation's single sign-on, or run the bot as a GitHub App"
    EVENT = (
        "let that event start workflows in the organisation's execution protections for workflows, "
        "or have the bot open pull requests instead"
    )
    RIGHT = "grant what is missing"

    @property
    def advice(self) -> str:
        return self.value

    @property
    def is_of_the_grant(self) -> bool:
        """Whether the credentials may do nothing at all there, which says nothing of what was asked for."""
        return self in (Denial.IP_ALLOW_LIST, Denial.SINGLE_SIGN_ON)


class AccessDenied(Failure):
    """The forge names why it denies something: `denial` says which kind of reason it is, `rights` what would do."""

    def __init__(
        self, denial: Denial, words: str, place: str = "", rights: str = "", status: int | None = None
    ) -> None:
        advice = f"grant {rights}" if rights else denial.advice
        super().__init__(Trouble.DENIED, words, where=place, advice=advice, status=status)
        self.denial = denial
        self.rights = rights

    @property
    def meaning(self) -> Meaning:
        return Meaning.TRANSIENT if self.denial.is_of_the_grant else super().meaning


class SightLost(_OfThisMoment):
    """The bot has no grant there at present: what it had there is neither gone nor refused."""

    def __init__(self, reason: str, place: str, advice: str) -> None:
        super().__init__(Trouble.DENIED, reason, where=place, advice=advice)


class FilesDenied(Failure):
    """The credentials may change the repository, but not the files under `folder`, for want of `right`."""

    def __init__(self, folder: str, right: str, place: str = "") -> None:
        super().__init__(
            Trouble.DENIED, f"the right to change {folder} is missing", where=place, advice=f"grant {right}"
        )
        self.folder = folder
        self.right = right


class RepositoryArchived(Failure):
    """The repository takes no changes, until somebody unarchives it."""

    def __init__(self, place: str) -> None:
        super().__init__(Trouble.DENIED, "the repository is archived", where=place)


NOT_INCLUDED = "the settings do not include a repository of this name"


class NotIncluded(_OfThisMoment):
    """The operator does not include the name that the repository bears, so nothing is written to it: it was renamed
    or moved, or the settings are others by now."""

    def __init__(self, place: str) -> None:
        super().__init__(
            Trouble.CONFLICT, NOT_INCLUDED, where=place, advice="include it, or leave what is open there to people"
        )


class RepositoryMoved(_OfThisMoment):
    """The repository is reached under another name now: it was renamed or transferred."""

    def __init__(self, place: str) -> None:
        super().__init__(
            Trouble.CONFLICT,
            "the repository has another name now",
            where=place,
            advice="the next attempt looks it up again",
        )
