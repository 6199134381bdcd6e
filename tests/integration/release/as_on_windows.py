"""Starts the program with what Windows lacks taken away, as far as one machine can play another.

What the standard library needs itself is imported before: it knows Windows. From then on, modules, functions and
flags of POSIX are missing, a file that is open can be neither replaced nor deleted, and text that our code reads or
writes without naming its encoding is an error, since it is another one there.
"""

import asyncio
import concurrent.futures
import ctypes
import getpass
import logging.handlers
import multiprocessing.context
import os
import shutil
import signal
import ssl
import subprocess
import sys
import tempfile
import warnings
import webbrowser
import zoneinfo
from collections.abc import Callable
from pathlib import Path
from typing import Any

_LOADED = (
    *(asyncio, concurrent.futures, ctypes, getpass, logging.handlers, multiprocessing.context, shutil, ssl),
    *(subprocess, tempfile, webbrowser, zoneinfo),
)
MODULES = (
    *("fcntl", "pwd", "grp", "resource", "termios", "tty", "pty", "syslog", "readline", "curses", "posix", "crypt"),
    *("spwd", "nis", "ossaudiodev"),
)
FUNCTIONS = (
    *("fork", "forkpty", "getuid", "geteuid", "getgid", "getegid", "getgroups", "getpgid", "getpgrp", "getsid"),
    *("setsid", "setuid", "setgid", "killpg", "chown", "fchown", "lchown", "fchmod", "uname", "sync", "statvfs"),
    *("fstatvfs", "sysconf", "confstr", "pathconf", "mkfifo", "mknod", "nice", "getloadavg", "sched_getaffinity"),
    *("posix_spawn", "openpty", "ttyname", "wait3", "wait4", "sendfile", "getrandom", "memfd_create", "pidfd_open"),
)
FLAGS = ("O_DIRECTORY", "O_NOFOLLOW", "O_NONBLOCK", "O_CLOEXEC", "O_SYNC", "O_DSYNC", "O_NOCTTY")
SIGNALS = ("SIGHUP", "SIGKILL", "SIGALRM", "SIGCHLD", "SIGUSR1", "SIGUSR2", "SIGQUIT", "SIGPIPE", "SIGSTOP")
OF_SIGNAL = ("alarm", "setitimer", "pthread_sigmask", "pthread_kill", "sigwait", "pause", "siginterrupt")


def take_away() -> None:
    """What only POSIX has is gone afterwards, in this process."""
    for name in MODULES:
        sys.modules[name] = None  # type: ignore[assignment]
    for module, names in ((os, (*FUNCTIONS, *FLAGS)), (signal, (*SIGNALS, *OF_SIGNAL))):
        for name in names:
            if hasattr(module, name):
                delattr(module, name)
    for loop in (asyncio.AbstractEventLoop, asyncio.SelectorEventLoop):
        for name in ("add_signal_handler", "remove_signal_handler"):
            setattr(loop, name, _is_missing)
    for name in ("replace", "rename", "unlink", "remove"):
        setattr(os, name, _only_closed(getattr(os, name)))
    warnings.filterwarnings("error", category=EncodingWarning, module=r"bot\.")


def _is_missing(*arguments: object) -> None:
    raise NotImplementedError


def _only_closed(function: Callable[..., None]) -> Callable[..., None]:
    """The function, which refuses a file that this process has open."""

    def only_closed(path: Any, *more: Any, **options: Any) -> None:
        if os.fspath(path) in _open_files():
            raise PermissionError(13, "The process cannot access the file because it is being used", str(path))
        function(path, *more, **options)

    return only_closed


def _open_files() -> set[str]:
    files = set()
    for link in Path("/proc/self/fd").iterdir():
        try:
            files.add(os.readlink(link))
        except OSError:
            continue  # the one that listed them
    return files


if __name__ == "__main__":
    take_away()
    from bot.cli import main

    main()
