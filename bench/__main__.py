"""``python -m bench``: runs the sections, prints the table, keeps it in ``bench/results``."""

import argparse
import importlib
import json
import os
import platform
import signal
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from bench import build, haproxy
from bench.ground import TREE, Ground, ground
from bench.processes import Ended
from bench.table import Report

SECTIONS: Final = ("memory", "pipe", "logins", "creation", "listings", "start")
RESULTS: Final = Path(__file__).parent / "results"


def main() -> int:
    """The exit status is 0 whether goals were met or not."""
    asked = _arguments()
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _interrupt)
    report = Report()
    try:
        build.build()
        if haproxy.program() is None:
            report.remarks.append(f"{haproxy.INSTALL}.")
            print(haproxy.INSTALL, file=sys.stderr)
        with ground(quick=asked.quick, tree=asked.tree, before=asked.before) as made:
            for name in asked.only:
                _section(name, made, report)
    except Ended as error:
        print(f"ERROR {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    _tell(report, asked)
    return 0


def _section(name: str, made: Ground, report: Report) -> None:
    began = time.monotonic()
    print(f"{name} ...", file=sys.stderr, flush=True)
    importlib.import_module(f"bench.sections.{name}").measure(made, report)
    print(f"{name}: {time.monotonic() - began:.0f} s", file=sys.stderr, flush=True)


def _tell(report: Report, asked: argparse.Namespace) -> None:
    now = datetime.now(UTC)
    kind = "quick" if asked.quick else "whole"
    machine = f"{os.cpu_count()} CPUs, {platform.machine()}, Python {platform.python_version()}"
    head = f"# {now:%Y-%m-%d %H:%M} UTC, {kind}, {machine}\n\n"
    text = head + report.as_markdown()
    print(text)
    file = asked.output or RESULTS / f"{now:%Y-%m-%dT%H%M%S}"
    file.parent.mkdir(parents=True, exist_ok=True)
    document = {"at": now.isoformat(), "kind": kind, "machine": machine} | report.as_json()
    file.with_suffix(".md").write_text(text)
    file.with_suffix(".json").write_text(json.dumps(document, indent=1) + "\n")
    print(f"Kept as {file}.md and .json", file=sys.stderr)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument(
        "--quick", action="store_true", help="what the goals are about, in some two minutes"
    )
    parser.add_argument(
        "--only",
        type=_names,
        default=SECTIONS,
        metavar="SECTIONS",
        help=f"some of {','.join(SECTIONS)}, with commas between",
    )
    parser.add_argument(
        "--tree", type=Path, default=TREE, metavar="TREE", help="the JIMM of this tree"
    )
    parser.add_argument(
        "--before", type=Path, metavar="TREE", help="another tree's JIMM, to compare with"
    )
    parser.add_argument("--output", type=Path, metavar="FILE", help="where to, without .md")
    return parser.parse_args()


def _names(text: str) -> list[str]:
    names = text.split(",")
    if unknown := [each for each in names if each not in SECTIONS]:
        raise argparse.ArgumentTypeError(f"no such section: {', '.join(unknown)}")
    return names


def _interrupt(*_: object) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
