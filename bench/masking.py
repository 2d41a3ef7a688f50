"""Measure how fast a worker masks secrets in what its tasks print.

See README.md in this folder. Run it as `python bench/masking.py`.
"""

import argparse
import json
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from measure.machine import facts, load_average
from measure.masking import bare_pace, build_log, build_milliseconds, masker_pace, printing_pace, secrets
from report import table
from workloads.workload import Figure, Sample

_MEBIBYTES: Final = 64
_ROUNDS: Final = 5
_COUNTS: Final = (0, 1, 20, 200)
_OURS: Final = "Lineshaft"
_LIMIT: Final = "limit"


def main() -> None:
    """Measure in rounds, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--size", type=int, default=_MEBIBYTES, help="of the log, in MiB")
    parser.add_argument("--rounds", type=int, default=_ROUNDS, help="how often everything is measured")
    options = parser.parse_args()
    print(json.dumps(facts() | {"load_average": load_average()}), file=sys.stderr)
    samples: list[Sample] = []
    log = build_log(options.size << 20, secrets(1)[0])
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "log"
        file.write_bytes(log)
        for _ in range(options.rounds):
            for count in _COUNTS:
                values = secrets(count)
                samples += [
                    Sample(_LIMIT, f"printing {count}", bare_pace(file)),
                    Sample(_OURS, f"printing {count}", printing_pace(file, values)),
                ]
                if count:
                    samples.append(Sample(_OURS, f"masking {count}", masker_pace(values, log)))
                    samples.append(Sample(_OURS, f"making {count}", build_milliseconds(values)))
    print(table(_figures(), samples))
    print(f"load average {load_average()}", file=sys.stderr)


def _figures() -> Mapping[str, Figure]:
    printing = "what a command prints, secrets to mask: {}; limit: nothing looks at it"
    return {
        **{f"printing {n}": Figure(printing.format(n), "MB/s", more_is_better=True) for n in _COUNTS},
        **{
            f"masking {n}": Figure(f"the masker by itself, secrets: {n}", "MB/s", more_is_better=True)
            for n in _COUNTS[1:]
        },
        **{f"making {n}": Figure(f"making a masker, secrets: {n}", "ms") for n in _COUNTS[1:]},
    }


if __name__ == "__main__":
    main()
