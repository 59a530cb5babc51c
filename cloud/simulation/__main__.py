"""The simulator's commands: replay one run, run the campaign, try the seeded design bugs."""

import argparse
import sys
from collections.abc import Sequence

from cloud.simulation import campaign
from cloud.simulation.mutants import MUTANTS
from cloud.simulation.mutants.mutant import caught_by
from cloud.simulation.report import run_campaign
from cloud.simulation.timeline import timeline


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; 0 when nothing was violated."""
    options = _parser().parse_args(arguments)
    if options.command == "replay":
        return _replay(options.run, reads=options.reads)
    if options.command == "mutants":
        return _mutants()
    transient = options.seeds if options.transient is None else options.transient
    return run_campaign(
        options.seeds, transient=transient, pairs=options.pairs, quick=options.quick
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m cloud.simulation", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    replay = commands.add_parser("replay", help="make one run again and show its timeline")
    replay.add_argument("run", help="a seed, or 'scenario|faults|seed' as a failing run prints it")
    replay.add_argument("--reads", action="store_true", help="show calls that only read as well")
    whole = commands.add_parser("campaign", help="run every stage and write docs/campaign.md")
    whole.add_argument("--seeds", type=int, default=100_000, help="random runs (default 100000)")
    whole.add_argument("--transient", type=int, help="transient runs (default: as many as seeds)")
    whole.add_argument("--pairs", type=int, help="pairs of faults at most (default: all)")
    whole.add_argument("--quick", action="store_true", help="what every commit runs")
    commands.add_parser("mutants", help="try every seeded design bug")
    return parser


def _replay(text: str, *, reads: bool) -> int:
    try:
        job = campaign.job_of(text)
        run = campaign.made(job)
    except (ValueError, KeyError) as error:
        print(f"'{text}' names no run ({error}); expected a seed or 'scenario|faults|seed'.")
        return 2
    for line in timeline(run, reads=reads):
        print(line)
    print(f"\nreplay: python -m cloud.simulation replay '{job}'")
    found = campaign.judged(job, run)
    print("\n".join(["violations:", *found]) if found else "no violations")
    return 1 if found else 0


def _mutants() -> int:
    missed = 0
    for mutant in MUTANTS:
        caught = caught_by(mutant)
        missed += caught is None
        print(f"{'caught' if caught else 'MISSED'}  {mutant.name}")
        if caught:
            print(f"        by {caught[0]}: {caught[1][0]}")
    print(f"{len(MUTANTS) - missed} of {len(MUTANTS)} seeded design bugs caught")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
