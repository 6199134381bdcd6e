"""What an installation of the App may do, against what the bot would do."""

from bot.clients.forges.github.connection.installations import Installation
from bot.clients.forges.github.connection.permissions import PERMISSIONS
from bot.views.doctor import Check, Verdict


def of_installation(installation: Installation, *, is_used: bool) -> list[Check]:
    """One check for the installation, and one for each permission where it is used."""
    name = installation.account
    if not is_used:
        return [Check("GitHub", name, Verdict.NOTE, "the App is installed there and not used")]
    if installation.is_suspended:
        told = "the App's installation there is suspended"
        return [Check("GitHub", name, Verdict.WRONG, told, "its owner can end that")]
    seen = "all repositories" if installation.sees_all else "the repositories that its owner chose"
    checks = [Check("GitHub", name, Verdict.FINE, f"the App is installed there and sees {seen}")]
    for each in PERMISSIONS:
        subject = f"{name}: {each.name}: {each.level}"
        if each.is_in(installation.permissions):
            checks.append(Check("permissions", subject, Verdict.FINE, f"there, to {each.purpose}"))
        else:
            verdict = Verdict.WRONG if each.is_needed else Verdict.NOTE
            way_out = "grant it to the App, and have the owner accept that"
            checks.append(Check("permissions", subject, verdict, f"missing, to {each.purpose}", way_out))
    return checks
