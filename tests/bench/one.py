"""One bench, in a process of its own: `python -m tests.bench.one MODULE` writes a line of JSON for each figure.

All else that the bench or what it starts writes goes where errors go, so that it is no line of these.
"""

import json
import os
import sys
from dataclasses import asdict
from importlib import import_module


def main(module: str) -> None:
    with os.fdopen(os.dup(1), "w") as figures:
        os.dup2(2, 1)
        for measured in import_module(module).run():
            print(json.dumps(asdict(measured)), file=figures, flush=True)


if __name__ == "__main__":
    main(sys.argv[1])
