# SPDX-License-Identifier: Apache-2.0
"""`python -m tests.simulation SEED…` runs seeds and says what each found."""

import os
import sys
import time

from tests.simulation.run import simulate


def main(arguments: list[str]) -> int:
    """Run each seed; answers 1 when one of them found something."""
    failed = []
    for seed in map(int, arguments or [str(number) for number in range(12, 32)]):
        begun = time.process_time()
        report = simulate(seed)
        print(f"{report} ({time.process_time() - begun:.1f} s of CPU)", flush=True)
        if report.findings:
            failed.append(str(seed))
    if failed:
        print(f"failed: {' '.join(failed)}; keep them in tests/simulation/regressions.py")
    return 1 if failed else 0


if __name__ == "__main__":
    if os.environ.get("PYTHONHASHSEED") != "0":
        # The order of a set of words must not differ from one run of a seed to the next.
        os.execve(  # noqa: S606 (this very program)
            sys.executable,
            [sys.executable, "-m", "tests.simulation", *sys.argv[1:]],
            {**os.environ, "PYTHONHASHSEED": "0"},
        )
    sys.exit(main(sys.argv[1:]))
