"""`make bench`: what a decision costs, beside the floor of the machine and under pressure.

Prints the machine and a table for each part, and writes the figures to bench/results.json. The back
office has a command of its own, `make bench-admin`.
"""

import argparse
from collections.abc import Callable

from bench import admin, crowd, events, flood, growth, portal, steps, throughput
from bench.machine import machine
from bench.report import Part, keep, lines

PARTS: dict[str, Callable[..., Part]] = {
    "throughput": throughput.run,
    "crowd": crowd.run,
    "growth": growth.run,
    "flood": flood.run,
    "steps": steps.run,
    "events": events.run,
    "portal": portal.run,
}
ALONE: dict[str, Callable[..., Part]] = {"admin": admin.run}
"""Run only when asked for: these fill a large database."""


def main() -> None:
    options = _options()
    print(machine())
    for name in [options.only] if options.only else list(PARTS):
        _report(name, (PARTS | ALONE)[name](quick=options.quick), kept=not options.quick)
    if options.profile:
        _report("profile", steps.sampled(quick=options.quick), kept=False)
    if options.quick:
        print("\nA quick run shows that everything runs; its figures are not kept.")


def _report(name: str, part: Part, *, kept: bool) -> None:
    print("\n".join(lines(name, part)), flush=True)
    if kept:
        keep(name, part)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--only", choices=[*PARTS, *ALONE], help="run one part")
    parser.add_argument("--quick", action="store_true", help="a few seconds each; keep no figures")
    parser.add_argument(
        "--profile", action="store_true", help="also sample which functions take the time"
    )
    return parser.parse_args()


if __name__ == "__main__":
    main()
