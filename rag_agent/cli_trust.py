"""`rag-agent trust`, and the option `--config` that every command has: which file of settings counts."""

import functools
import inspect
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any, TypeVar

import typer

from rag_agent.errors import SettingsError

Command = TypeVar("Command", bound=Callable[..., Any])
Config = Annotated[
    Path | None, typer.Option("--config", help="File of settings to use instead of the working folder's rag_agent.toml.")
]


class Commands(typer.Typer):
    """Commands each of which has the option `--config` besides its own."""

    def command(self, *args: Any, **kwargs: Any) -> Callable[[Command], Command]:
        """Register a function as a command."""
        register = super().command(*args, **kwargs)

        def registered(function: Command) -> Command:
            register(_configured(function))
            return function

        return registered


def _configured(function: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(function)
    def run(*args: Any, config: Path | None = None, **kwargs: Any) -> Any:
        with _in_force(config):
            return function(*args, **kwargs)

    signature = inspect.signature(function)
    added = inspect.Parameter("config", inspect.Parameter.KEYWORD_ONLY, default=None, annotation=Config)
    run.__signature__ = signature.replace(parameters=[*signature.parameters.values(), added])  # type: ignore[attr-defined]
    run.__annotations__ = {**function.__annotations__, "config": Config}
    return run


@contextmanager
def _in_force(config: Path | None) -> Iterator[None]:
    """For the time of a command, as if the variable were set: all that it loads and starts reads the same file."""
    if config is None:
        yield
        return
    from rag_agent.settings import CONFIG

    before = os.environ.get(CONFIG)
    os.environ[CONFIG] = str(config)
    try:
        yield
    finally:
        os.environ.pop(CONFIG, None)
        if before is not None:
            os.environ[CONFIG] = before


def trust(file: Annotated[Path | None, typer.Argument(help="Left out: ./rag_agent.toml.")] = None) -> None:
    """Let a file of settings set everything, as it is now: read it first. A changed file has to be trusted anew."""
    from rag_agent import console
    from rag_agent.settings import HARMLESS, TOML_FILE, read_config, trust_home
    from rag_agent.trust import trust

    path = file or Path(TOML_FILE)
    if not path.is_file():
        raise SettingsError(f"{path} is not here; go to the folder whose {TOML_FILE} you want to trust, or name the file")
    content, values = read_config(path)
    trust(trust_home(), path, content)
    for name in sorted(set(values) - HARMLESS):
        console.note(console.line(f"{name} = {values[name]!r}"))
    console.note(f"{console.line(path.absolute())} is trusted as it is now.")
