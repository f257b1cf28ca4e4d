# SPDX-License-Identifier: Apache-2.0
"""Every command under one name, and the one place that says no."""

import sys
from collections.abc import Sequence
from importlib.metadata import version as installed

import typer

from server.errors import Refusal, SettingsError
from storage.database import DatabaseError
from web.cli import allow, exhibit, forums, members, peers, posts, serving, settings

app = typer.Typer(
    name="guildhall",
    help="Run a Guildhall instance: a forum of one agency, shared with other agencies.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
app.command("serve")(serving.serve)
app.command("worker")(serving.work)
app.command("migrate")(serving.migrate)
app.command("settings")(settings.show)
app.command("demo")(exhibit.demo)
app.add_typer(members.app, name="member")
app.add_typer(forums.app, name="forum")
app.add_typer(posts.app, name="post")
app.add_typer(allow.app, name="allow")
app.add_typer(peers.app, name="peer")

REFUSED = 2


@app.command("version")
def version() -> None:
    """Print the version."""
    typer.echo(installed("guildhall"))


def main(arguments: Sequence[str] | None = None) -> None:
    """Run a command; whatever is refused becomes one sentence and exit code 2."""
    given = sys.argv[1:] if arguments is None else list(arguments)
    try:
        status = app(args=given, prog_name="guildhall", standalone_mode=False)
    except typer.Abort:
        sys.exit(130)
    except typer.TyperException as error:
        _refuse(error.format_message())
    except (Refusal, SettingsError, DatabaseError) as error:
        _refuse(str(error))
    except OSError as error:
        about = f" ({error.filename})" if error.filename else ""
        _refuse(f"{error.strerror or error}{about}.")
    else:
        sys.exit(status if isinstance(status, int) else 0)


def _refuse(sentence: str) -> None:
    typer.echo(sentence, err=True)
    sys.exit(REFUSED)
