"""What a run says in its last line: what it was, and how long it took."""

import sys
import time


def took(seconds: float) -> str:
    """`0.4 s`, `41 s`, `7 min 12 s`."""
    if seconds < 9.95:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"


if __name__ == "__main__":
    print(f"{sys.argv[2]}: {took(time.time() - float(sys.argv[1]))}")
