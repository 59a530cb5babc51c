"""`python -m slipway.operate`: runs one command and prints its output."""

import argparse
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from pydantic import ValidationError

from slipway.domain.errors import ControlPlaneError
from slipway.operate import interventions
from slipway.operate.arguments import parse
from slipway.operate.connection import connect
from slipway.operate.desk import Desk, Refusal
from slipway.operate.request import Order, deploy
from slipway.operate.show import show
from slipway.operate.status import status
from slipway.operate.verification import verify_all, verify_one
from slipway.operate.waiting import waiting

Connect = Callable[[str, Path], Desk]


def main(arguments: list[str] | None = None, connect: Connect = connect) -> int:
    """Run one command; the exit code is 0, or 1 after one sentence on stderr."""
    options = parse(arguments)
    try:
        for line in _run(options, connect(options.stack, options.catalog)):
            print(line, flush=True)
    except BrokenPipeError:
        # The reader has closed the pipe; without this, Python reports it again when it exits.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except Refusal as refusal:
        return _fail(str(refusal))
    except ControlPlaneError as error:
        return _fail(error.message)
    except ValidationError as error:
        return _fail(f"The record is not valid for this version of Slipway ({error.title}).")
    except KeyboardInterrupt:
        return _fail("Interrupted. Requests that were already sent stay in effect.")
    return 0


def _fail(sentence: str) -> int:
    print(sentence, file=sys.stderr)
    return 1


def _run(asked: argparse.Namespace, desk: Desk) -> Iterator[str]:
    match asked.command:
        case "status":
            return status(desk, *asked.place)
        case "show":
            return show(desk, asked.id)
        case "waiting":
            return waiting(desk)
        case "verify-records":
            return verify_all(desk) if asked.all else verify_one(desk, asked.id)
        case _:
            return _change(asked, desk, desk.recorded_name(asked.by))


def _change(asked: argparse.Namespace, desk: Desk, by: str) -> Iterator[str]:
    """The commands that change something; ``by`` goes into the record."""
    match asked.command:
        case "deploy":
            order = Order(
                asked.digest or asked.tag,
                by,
                asked.reason,
                replace=asked.replace,
                schema_at=asked.schema_at,
            )
            return deploy(desk, asked.place, order)
        case "hold":
            return interventions.hold(desk, asked.place, by=by, message=asked.message)
        case "lift":
            return interventions.lift(desk, asked.place, by=by, start=asked.start)
        case _:
            return interventions.cancel(desk, asked.id, by=by)


if __name__ == "__main__":
    sys.exit(main())
