"""The ``jimmctl`` command: its commands put together, and errors turned into exit statuses."""

import os
import sys
from collections.abc import Sequence

import typer

from jimmctl import call
from jimmctl.commands import (
    audit,
    controllers,
    login,
    migrations,
    models,
    plans,
    service_accounts,
    tokens,
    unmanaged,
)
from jimmctl.errors import Interrupted, JimmctlError, Refused
from jimmctl.output import complain, say


def create_app() -> typer.Typer:
    """All commands."""
    app = typer.Typer(
        name="jimmctl",
        help="Administer JIMM: its controllers, its models and where they live.",
        add_completion=False,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["--help", "-h"], "max_content_width": 100},
    )
    app.callback()(call.remember)
    for noun in (
        login,
        tokens,
        service_accounts,
        controllers,
        models,
        migrations,
        plans,
        unmanaged,
        audit,
    ):
        noun.register(app)
    return app


def main() -> None:
    """The console script. Exit status: 0 done, 1 failed, 2 wrong usage, 130 interrupted."""
    status = run(sys.argv[1:])
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        _leave_pipe()
    sys.exit(status)


def run(arguments: Sequence[str]) -> int:
    """Runs one command and gives its exit status; every error is a sentence on stderr."""
    try:
        root = typer.main.get_command(create_app())
        status = root.main(
            args=list(arguments) or ["--help"], prog_name="jimmctl", standalone_mode=False
        )
    except JimmctlError as error:
        complain(error.message)
        _explain(error)
        return error.exit_status
    except typer.TyperException as error:
        complain(error.format_message())
        return error.exit_code
    except (KeyboardInterrupt, typer.Abort):
        complain("interrupted")
        return Interrupted.exit_status
    except BrokenPipeError:
        _leave_pipe()
        return 1
    except OSError as error:
        complain(f"{error.filename or 'the system'}: {error.strerror or error}")
        return 1
    except Exception as error:  # the last door: a bug is reported as one, never as a traceback
        complain(f"jimmctl itself has failed ({type(error).__name__}: {error}): please report it")
        return 1
    return status if isinstance(status, int) else 0


def _explain(error: JimmctlError) -> None:
    if isinstance(error, Refused):
        for check in error.checks:
            say(f"- {check.sentence}")


def _leave_pipe() -> None:
    """The reader has gone; what is left in the buffer must not complain at exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
