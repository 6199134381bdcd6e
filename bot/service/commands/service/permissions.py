"""What an installation of the GitHub App and a Slack app may do, against what the bot would do."""

from bot.clients.forges.github.connection.installations import Installation
from bot.clients.forges.github.connection.permissions import PERMISSIONS
from bot.clients.notifiers.slack_scopes import SCOPES, SignedIn
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


def of_slack_app(signed_in: SignedIn) -> list[Check]:
    """One check for the token, and one for each thing that it must be granted for."""
    checks = [Check("messages", "Slack", Verdict.FINE, f"signed in as {signed_in}")]
    if signed_in.scopes is None:
        told = "Slack does not say which scopes the token has"
        return [*checks, Check("messages", "Slack: scopes", Verdict.UNKNOWN, told, "see the app's OAuth page")]
    for each in SCOPES:
        subject = f"Slack: {' or '.join(each.names)}"
        if each.is_in(signed_in.scopes):
            held = ", ".join(name for name in each.names if name in signed_in.scopes)
            checks.append(Check("messages", subject, Verdict.FINE, f"{held} is there, to {each.purpose}"))
        else:
            way_out = "grant it to the app, and install that anew"
            checks.append(Check("messages", subject, Verdict.WRONG, f"missing, to {each.purpose}", way_out))
    return checks
