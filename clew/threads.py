"""One BLAS thread for every command but training and the bench.

Imported before NumPy, which reads these variables once.

A request is small: threads would wake and wait for longer than they work, and requests run side by side anyway.
Training gives BLAS all cores, and threads sleep where they wait for each other: where they spin, one other busy program
on two cores slows them several times (142 s instead of 41 s, measured on the movies demo when torch had two threads).
"""

import os
import sys

NAMES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
OURS = tuple(name for name in NAMES if name not in os.environ)


def environment_for_training() -> dict[str, str]:
    """The environment of a child process that trains: without the limits that were set here."""
    return {name: value for name, value in os.environ.items() if name not in OURS}


os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
if sys.argv[1:2] not in (["train"], ["bench"]):
    for _name in OURS:
        os.environ[_name] = "1"
