"""The quality bench: `python -m benchmarks.quality [ROW ...]`, which is what `make bench-quality` runs.

Rows that have a result of the same effort (budget, trials, seeds) are left as they are, so that a run can go on where
it stopped; --again runs them anew.
A ROW is the beginning of a row's name: `lastfm`, `ml-100k.ease`. docs/quality.md is written afterwards.
"""

import argparse
import subprocess
import sys
import time

from benchmarks.quality.page import write_page
from benchmarks.quality.rows import Row, chosen
from benchmarks.quality.run import Effort, has_result, run


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("rows", nargs="*", metavar="ROW")
    parser.add_argument("--again", action="store_true", help="run rows that have a result, too")
    parser.add_argument("--list", action="store_true", help="list the rows")
    parser.add_argument("--page", action="store_true", help="only write docs/quality.md")
    parser.add_argument("--budget-s", type=float, default=300.0, help="seconds of each search")
    parser.add_argument("--trials", type=int, help="trials of each search, in place of seconds")
    parser.add_argument("--seeds", type=int, default=5, help="how many of the seeds of rows that depend on chance")
    asked = parser.parse_args()
    rows = chosen(asked.rows)
    if asked.list:
        print("\n".join(f"{row.name:32} {row.title}" for row in rows))
        return 0
    failed = [] if asked.page else _run_all(rows, asked)
    write_page()
    if failed:
        print(f"failed: {', '.join(failed)}", file=sys.stderr)
    return 1 if failed else 0


def _run_all(rows: list[Row], asked: argparse.Namespace) -> list[str]:
    effort = Effort(asked.budget_s, asked.trials, asked.seeds)
    failed: list[str] = []
    for row in rows:
        if has_result(row, effort) and not asked.again:
            print(f"{row.name}: has a result", file=sys.stderr)
            continue
        began = time.perf_counter()
        try:
            done = run(row, effort)
        except subprocess.CalledProcessError as error:
            print(f"{row.name}: exit code {error.returncode}", file=sys.stderr)
            failed.append(row.name)
            continue
        if done is not None:
            figures = "  ".join(f"{name} {done['figures'][name]:.4f}" for name in row.headline if done["figures"])
            print(f"{row.name}: {figures}  {time.perf_counter() - began:.0f} s", file=sys.stderr)
    return failed


if __name__ == "__main__":
    sys.exit(main())
