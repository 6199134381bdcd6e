"""The one workflow file that a team writes to run the bot in GitHub Actions: with an App, or for one repository."""

from importlib.metadata import version

ACTION = "OWNER/freshness-bot"
"""Whose action is called; whoever keeps a copy of it writes that one's owner."""
PATH = ".github/workflows/freshness.yml"

_FILE = """\
name: Freshness
on:
  schedule: [{{cron: "23 */3 * * *"}}]
  workflow_dispatch: {{inputs: {{dry-run: {{type: boolean, default: false}}}}}}
permissions: {{{permissions}}}
concurrency: {{group: freshness, cancel-in-progress: false}}
jobs:
  freshness:
    runs-on: ubuntu-24.04
    timeout-minutes: 15
    steps:
      - uses: {action}@COMMIT # v{version}
        with:
{inputs}
          dry-run: ${{{{ inputs.dry-run || false }}}}
"""
_OF_APP = """\
          app-id: ${{ vars.FRESHNESS_APP_ID }}
          app-private-key: ${{ secrets.FRESHNESS_APP_KEY }}"""
_OF_REPOSITORY = """\
          token: ${{ github.token }}"""


def workflow_text(*, with_app: bool) -> str:
    """The file. With an App it serves all that the App is installed on, and may itself write the state alone;
    without one it serves the repository that it is in."""
    permissions = "contents: write" if with_app else "contents: write, pull-requests: write, actions: write"
    inputs = _OF_APP if with_app else _OF_REPOSITORY
    return _FILE.format(permissions=permissions, inputs=inputs, action=ACTION, version=version("freshness-bot"))


def still_to_do(*, with_app: bool) -> tuple[str, ...]:
    """What a person has to do besides committing the file, one sentence each."""
    pinned = f"write in {PATH} whose action it is for OWNER, and the commit of its release for COMMIT"
    if with_app:
        return (
            pinned,
            "set the variable FRESHNESS_APP_ID and the secret FRESHNESS_APP_KEY of the repository",
            "commit it to the default branch of a private repository, and start it by hand once",
        )
    return (
        pinned,
        "let Actions open pull requests: Settings, Actions, General, Allow GitHub Actions to create pull requests",
        "commit it to the default branch, and start it by hand once; checks of its pull requests wait for approval",
    )
