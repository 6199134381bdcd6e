"""The most memory that a process ever had."""

from pathlib import Path


def most_memory(process: int | str = "self") -> int:
    """Bytes that the process held at most since its program began.

    `getrusage` tells no less than what its parent held when it started it: Linux keeps that figure when a program
    is run in place of another. `VmHWM` is of the program alone (proc_pid_status(5)).
    """
    for line in Path(f"/proc/{process}/status").read_text().splitlines():
        name, _, told = line.partition(":")
        if name == "VmHWM":
            return int(told.split()[0]) * 1024
    raise RuntimeError("this system does not tell the most memory of a process")
