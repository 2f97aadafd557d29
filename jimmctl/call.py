"""One run of one command, and the options that all commands share.

:func:`command` makes a Typer command of a function whose first parameter is a :class:`Call`:
the shared options are added to its own, and may stand before the command's name as well.
"""

import functools
import inspect
import os
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Concatenate, TypeVar

import typer

from jimmctl import config, output
from jimmctl.errors import Interrupted

if TYPE_CHECKING:
    from jimmctl.client import Client

T = TypeVar("T")

Address = Annotated[
    str, typer.Option("--address", metavar="HOST:PORT", help="Where JIMM is [JIMMCTL_ADDRESS].")
]
CaCert = Annotated[
    str,
    typer.Option(
        "--ca-cert", metavar="FILE", help="JIMM's certificate authority, PEM [JIMMCTL_CA_CERT]."
    ),
]
User = Annotated[str, typer.Option("--user", metavar="NAME", help="Who signs in [JIMMCTL_USER].")]
Format = Annotated[
    str,
    typer.Option(
        "--format",
        metavar="FORMAT",
        help="tabular, yaml or json; by default a table on a terminal and yaml elsewhere.",
    ),
]
File = Annotated[
    str, typer.Option("--output", "-o", metavar="FILE", help="Write there, not to stdout.")
]


@dataclass(frozen=True, slots=True)
class Shared:
    """The shared options as given, ``""`` where not."""

    address: str = ""
    ca_cert: str = ""
    user: str = ""
    format_: str = ""
    output_file: str = ""

    def over(self, outer: object) -> "Shared":
        """These, and where they are silent those from before the command's name."""
        if not isinstance(outer, Shared):
            return self
        return Shared(
            self.address or outer.address,
            self.ca_cert or outer.ca_cert,
            self.user or outer.user,
            self.format_ or outer.format_,
            self.output_file or outer.output_file,
        )


@dataclass(frozen=True, slots=True)
class Call:
    """What a command works with."""

    flags: config.Flags
    output: output.Output

    def run(self, work: Callable[["Client"], Awaitable[T]]) -> T:
        """Does the work with a client of the place that was found.

        Raises:
            JimmctlError: any of them; the client's are in its own documentation.
        """
        self.output.check()
        return self.run_at(config.find(self.flags, os.environ), work)

    def run_at(self, place: config.Place, work: Callable[["Client"], Awaitable[T]]) -> T:
        """The same at a given place."""
        import asyncio  # these two are not for --help

        from jimmctl.client import connect

        async def connected() -> T:
            async with connect(place) as client:
                return await work(client)

        try:
            return asyncio.run(connected())
        except KeyboardInterrupt as error:
            raise Interrupted from error


def command(function: Callable[Concatenate[Call, ...], None]) -> Callable[..., None]:
    """The function as Typer takes it: own parameters, then the shared options."""

    own = list(inspect.signature(function).parameters.values())[1:]
    context, *shared = inspect.signature(remember).parameters.values()
    names = [one.name for one in shared]

    @functools.wraps(function)
    def invoke(**values: Any) -> None:
        outer = values.pop(context.name).obj
        inner = Shared(**{name: values.pop(name) for name in names})
        function(_call(inner.over(outer)), **values)

    merged = [one.replace(kind=inspect.Parameter.KEYWORD_ONLY) for one in (context, *own, *shared)]
    typed: Any = invoke
    typed.__signature__ = inspect.Signature(merged)
    return invoke


def remember(
    context: typer.Context,
    address: Address = "",
    ca_cert: CaCert = "",
    user: User = "",
    format_: Format = "",
    output_file: File = "",
) -> None:
    """Keeps the shared options that stand before the command's name."""
    context.obj = Shared(address, ca_cert, user, format_, output_file)


def _call(shared: Shared) -> Call:
    return Call(
        config.Flags(shared.address, shared.ca_cert, shared.user),
        output.Output(shared.format_, Path(shared.output_file) if shared.output_file else None),
    )
