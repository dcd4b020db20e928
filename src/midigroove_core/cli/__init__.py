"""The `midigroove` program: parse, call one pipeline function, print."""

from __future__ import annotations

import errno
import inspect
import io
import os
import re
import sys
import traceback
from copy import copy
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer
from rich.markup import escape

from midigroove_core import __version__
from midigroove_core.cli.stopping import Stopped, last_words, raising_stopped
from midigroove_core.errors import MidigrooveError, StoppedEarly

if TYPE_CHECKING:
    from midigroove_core.cli.plugin_commands import PluginCommands, Trouble
    from midigroove_core.plugins import LoadedPlugins

EXIT_BAD_INPUT = 2
EXIT_GO_ON = 75
"""A run was asked to end and saved: whoever started it should start it again (EX_TEMPFAIL)."""


def build_app() -> typer.Typer:
    """The whole program, commands of plugins included."""
    return build()[0]


def build(plugins: LoadedPlugins | None = None) -> tuple[typer.Typer, PluginCommands]:
    """The program, and what plugins added to it or would have.

    Args:
        plugins: from `load_plugins()`; loaded when not given.
    """
    from midigroove_core.cli import (
        cache,
        codec_eval,
        data,
        demo,
        distances,
        evaluate,
        inspect_file,
        kits,
        notate,
        push,
        render,
        studio,
        train,
    )
    from midigroove_core.cli import plugins as listings
    from midigroove_core.cli.plugin_commands import add_plugin_commands
    from midigroove_core.plugins import load_plugins

    app = typer.Typer(
        name="midigroove",
        help="Expressive drum MIDI to drum audio through neural audio codecs, and figures to "
        "judge it by.\n\nStart with: midigroove demo",
        no_args_is_help=True,
        rich_markup_mode="markdown",
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    app.callback()(_options)
    for module in (
        demo,
        render,
        studio,
        inspect_file,
        notate,
        data,
        cache,
        train,
        evaluate,
        codec_eval,
        distances,
        push,
        kits,
        listings,
    ):
        module.add(app)
    return app, add_plugin_commands(app, plugins or load_plugins())


def _version(value: bool) -> None:
    if value:
        typer.echo(f"midigroove {__version__}")
        raise typer.Exit()


def _options(
    version: Annotated[
        bool,
        typer.Option("--version", callback=_version, is_eager=True, help="Print the version."),
    ] = False,
    debug: Annotated[bool, typer.Option("--debug", help="Show tracebacks of errors.")] = False,
) -> None:
    if debug:
        os.environ["MIDIGROOVE_DEBUG"] = "1"


def main(arguments: list[str] | None = None) -> NoReturn:
    """Runs the program and exits: 0 done, 1 findings, 2 bad input, 75 stopped and saved, 128 + N
    a signal."""
    sys.exit(run(arguments))


def run(arguments: list[str] | None = None) -> int:
    """Runs the program and returns its exit code; errors become one line on standard error."""
    arguments = sys.argv[1:] if arguments is None else arguments
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # what it cannot show is escaped
            stream.reconfigure(errors="backslashreplace")
    said: list[typer.Typer] = []
    try:
        with raising_stopped():
            app, of_plugins = build()
            said.append(app)
            if arguments[:1] != ["plugins"]:  # which has a table of them
                _warn(of_plugins.troubles)
            if arguments in ([], ["-h"], ["--help"]):
                _keep_names_and_help(app)
            app(args=arguments)
    except SystemExit as end:  # how Typer ends, with 2 for options it does not know
        return end.code if isinstance(end.code, int) else int(end.code is not None)
    except Stopped as stopped:
        return _fail(last_words(arguments), stopped.exit_code)
    except StoppedEarly as stopped:
        return _fail(_with_flags(str(stopped), said, arguments), EXIT_GO_ON)
    except MidigrooveError as error:
        return _fail(f"error: {_with_flags(str(error), said, arguments)}")
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        more = _TOO_MANY if error.errno in (errno.EMFILE, errno.ENFILE) else ""
        return _fail(f"error: {where}{error.strerror or error}{more}")
    except (MemoryError, RuntimeError) as error:
        if not isinstance(error, MemoryError) and not _TORCH_MEMORY.search(repr(error)):
            raise
        return _fail(_NO_MEMORY)
    return 0


_LONG_PATH = re.compile(r"error: ((?=\S{41})\S*[/\\]\S*): (.+)")
"""An error that begins with a path of more than 40 letters: what is wrong is said before it."""

_TOO_MANY = "; raise the limit (ulimit -n), or use fewer --workers"
_NO_MEMORY = (
    "error: there is not enough memory; use fewer --workers, smaller batches, a smaller model or "
    "fewer files"
)
_TORCH_MEMORY = re.compile("OutOfMemoryError|not enough memory|can't allocate memory")
"""How torch says it."""


def _keep_names_and_help(app: typer.Typer) -> None:
    """Takes the options of all commands away: the list of commands shows none of those hundreds.

    To read them off the functions would take as long as all the rest of the start.
    """

    def nothing() -> None: ...

    for command in app.registered_commands:
        name = getattr(command.callback, "__name__", "")
        command.name = command.name or typer.main.get_command_name(name)
        command.help = command.help or inspect.getdoc(command.callback)
        command.callback = nothing
    for group in app.registered_groups:
        group.typer_instance = copy(group.typer_instance)
        if group.typer_instance is not None:
            group.typer_instance.registered_commands = []


def _with_flags(message: str, app: list[typer.Typer], arguments: list[str]) -> str:
    """A message of the library, which names arguments (`tail_sec`), in words of the command line.

    Only names of options that the command has are changed (to `--tail`).
    """
    if not app or "`" not in message:
        return message
    command: Any = typer.main.get_command(app[0])
    for word in arguments:
        command = getattr(command, "commands", {}).get(word, command)
    flags = {param.name: max(param.opts, key=len) for param in command.params}

    def flag(match: re.Match[str]) -> str:
        option = flags.get(match[1], "")
        return option if option.startswith("--") else match[0]

    return re.sub(r"`([a-z][a-z0-9_]*)`", flag, message)


def _warn(troubles: tuple[Trouble, ...]) -> None:
    """A line for each broken plugin: it is left out, and the command goes on without it."""
    if not troubles:
        return
    from midigroove_core.cli.output import stderr

    for trouble in troubles:
        stderr.print(f"warning: {trouble}", markup=False, soft_wrap=True, highlight=False)


def _fail(message: str, code: int = EXIT_BAD_INPUT) -> int:
    from midigroove_core.cli.output import stderr

    if os.environ.get("MIDIGROOVE_DEBUG"):
        traceback.print_exc()
    message = _LONG_PATH.sub(r"error: \2 (\1)", message)
    kind, colon, rest = (
        message.partition(":") if message.startswith("error:") else ("", "", message)
    )
    marked = f"[bold red]{kind}{colon}[/]" if kind else ""
    stderr.print(f"{marked}{escape(rest)}", soft_wrap=True, highlight=False)
    return code
