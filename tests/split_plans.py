"""python -m tests.split_plans [--plans N] [--seed N]: files cut anywhere into ranges give what the whole file gives.

Files of bz2, of one stream and of several, without and with marks that are false; BGZF, xz of several blocks, zstd of
several frames. A plan that is refused is one that is read in order. Exit 1 for a difference.
"""

from __future__ import annotations

import argparse
import random
import sys
from collections import Counter

from pipeline.codecs.split import bz2 as split_bz2
from pipeline.codecs.split import splitter_of
from pipeline.errors import BadFileError
from tests.unit.test_ranges import files, lying_marks, of_units, plan_of, read_by, with_end


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--plans", type=int, default=1000, help="of each kind (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    r = random.Random(options.seed)
    true_marks = split_bz2.marks
    different = 0
    for kind in ("bz2", "bz2, false marks", "gzip", "xz", "zstd"):
        codec = kind.partition(",")[0]
        split_bz2.marks = lying_marks(r, true_marks) if "false" in kind else true_marks
        counts: Counter[str] = Counter()
        while counts["plans"] < options.plans:
            made = (("bz2", data, raw) for _, data, raw in files(r)) if codec == "bz2" else of_units(r)
            for name, data, raw in made:
                for _ in range(min(14, options.plans - counts["plans"]) if name == codec else 0):
                    counts["plans"] += 1
                    counts[_outcome(codec, data, raw, plan_of(r, len(data)))] += 1
        split_bz2.marks = true_marks
        different += counts["different"]
        print(
            f"{kind}: {counts['plans']:,} plans, {counts['different']:,} differences, {counts['refused']:,} refused "
            "and so read in order",
            flush=True,
        )
    return 1 if different else 0


def _outcome(codec: str, data: bytes, raw: bytes, plan: list[int]) -> str:
    try:
        written, whole = read_by(plan, data, splitter_of(codec))
    except BadFileError:
        return "refused"
    same = written == with_end(raw) and (whole.lines, whole.raw) == (with_end(raw).count(b"\n"), len(raw))
    if not same:
        print(f"{codec}, {len(data):,} bytes: another by {plan}", file=sys.stderr)
    return "same" if same else "different"


if __name__ == "__main__":
    sys.exit(main())
