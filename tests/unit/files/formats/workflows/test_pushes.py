"""Which workflows run on pushes to a branch."""

import pytest

from bot.files.formats.workflows.pushes import runs_on_push

BRANCH = "freshness/aspnet-10.0"


@pytest.mark.parametrize(
    "text",
    [
        "on: push\n",
        "on: [pull_request, push]\n",
        "on:\n  push:\n  pull_request:\n",
        "on:\n  push:\n    branches: ['**']\n",
        "on:\n  push:\n    branches: ['freshness/*']\n",
        "on:\n  push:\n    branches: 'fresh*/**'\n",
        "on:\n  push:\n    branches: ['!**', 'freshness/**']\n",
        "on:\n  push:\n    branches-ignore: [main]\n",
        "on:\n  push:\n    branches: ['freshness/aspnet-[0-9]+.0']\n",
        "on:\n  push:\n    paths: ['src/**']\n",
        "on: [push\n",
        None,
    ],
)
def test_it_runs_on_pushes_to_the_branch(text: str | None) -> None:
    assert runs_on_push(["on: workflow_dispatch\n", text], BRANCH)


@pytest.mark.parametrize(
    "text",
    [
        "on: pull_request\n",
        "on: [workflow_dispatch]\n# push\n",
        "on:\n  push:\n    branches: [main, 'release/**']\n",
        "on:\n  push:\n    branches: ['*']\n",
        "on:\n  push:\n    branches: ['**', '!freshness/**']\n",
        "on:\n  push:\n    branches-ignore: ['freshness/**']\n",
        "on:\n  push:\n    tags: ['v*']\n",
        "on:\n  workflow_dispatch:\njobs:\n  push:\n",
        "",
    ],
)
def test_it_does_not(text: str) -> None:
    assert not runs_on_push([text], BRANCH)
