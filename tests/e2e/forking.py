"""Bots in processes of their own, all forked from the one that importing `tests.e2e.warmed` has made ready.

A Python process has one server that forks, and one list of what that imports, whoever names it: the last would win.
"""

import multiprocessing
import os

POOLS_OF_MEMORY = "2"
"""As our image has it, for some of these bots are weighed. It is read when a process starts: by the server."""

os.environ["MALLOC_ARENA_MAX"] = POOLS_OF_MEMORY
context = multiprocessing.get_context("forkserver")
context.set_forkserver_preload(["tests.e2e.warmed"])
