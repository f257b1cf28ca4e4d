# SPDX-License-Identifier: Apache-2.0
"""Every command under one name, and the one place that says no."""

import gc
import sys
from collections.abc import Callable, Sequence
from functools import cache

import typer

from server.errors import Refusal, SettingsError
from storage.errors import DatabaseError

app = typer.Typer(
    name="guildhall",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
REFUSED = 2

# Each imports what it needs and nothing else, since that takes most of the time of a short
# command: posting needs no server program, and nothing but the demo needs the demo.


@cache
def _members() -> None:
    from web.cli import members

    app.add_typer(members.app, name="member")


@cache
def _forums() -> None:
    from web.cli import forums

    app.add_typer(forums.app, name="forum")


@cache
def _posts() -> None:
    from web.cli import posts

    app.add_typer(posts.app, name="post")


@cache
def _allow() -> None:
    from web.cli import allow

    app.add_typer(allow.app, name="allow")


@cache
def _peers() -> None:
    from web.cli import peers

    app.add_typer(peers.app, name="peer")


@cache
def _keys() -> None:
    from web.cli import keys

    app.add_typer(keys.app, name="key")


@cache
def _record() -> None:
    from web.cli import record

    app.add_typer(record.app, name="record")


@cache
def _calls() -> None:
    from web.cli import calls

    app.command("api")(calls.show)


@cache
def _tokens() -> None:
    from web.cli import tokens

    app.add_typer(tokens.app, name="token")


@cache
def _settings() -> None:
    from web.cli import settings

    app.command("settings")(settings.show)


@cache
def _demo() -> None:
    from web.cli import exhibit

    app.command("demo")(exhibit.demo)


@cache
def _serving() -> None:
    from web.cli import serving

    app.command("serve")(serving.serve)
    app.command("worker")(serving.work)
    app.command("migrate")(serving.migrate)


_COMMANDS: dict[str, Callable[[], None]] = {
    "serve": _serving,
    "worker": _serving,
    "migrate": _serving,
    "settings": _settings,
    "demo": _demo,
    "member": _members,
    "forum": _forums,
    "post": _posts,
    "allow": _allow,
    "peer": _peers,
    "key": _keys,
    "record": _record,
    "token": _tokens,
    "api": _calls,
}


@app.callback()
def _guildhall() -> None:
    """Run a Guildhall instance: a forum of one agency, shared with other agencies."""


def mount(wanted: str) -> None:
    """Put in the command of that name, or all of them where there is none, as for help."""
    if wanted == "version":
        return
    only = _COMMANDS.get(wanted)
    for put_in in [only] if only else dict.fromkeys(_COMMANDS.values()):
        put_in()


def begin() -> None:
    """Be the program: run the command that was given to this process, and end it.

    Nothing of what is imported is garbage, and looking for it takes a quarter of the time.
    """
    gc.disable()
    given = sys.argv[1:]
    mount(given[0] if given else "")
    gc.freeze()
    gc.enable()
    main(given)


@app.command("version")
def version() -> None:
    """Print the version."""
    from importlib.metadata import version as installed

    typer.echo(installed("guildhall"))


def main(arguments: Sequence[str] | None = None) -> None:
    """Run a command; whatever is refused becomes one sentence and exit code 2."""
    given = sys.argv[1:] if arguments is None else list(arguments)
    mount(given[0] if given else "")
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
