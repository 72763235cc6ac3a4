"""`rag-agent serve` and `rag-agent mcp`: the agent for browsers, clients of OpenAI's protocol, and assistants."""

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from rag_agent.errors import DocumentsError, SettingsError

if TYPE_CHECKING:
    from rag_agent.agent import RagAgent
    from rag_agent.settings import Settings

TOKEN = "RAG_AGENT_TOKEN"
_GRACE = 70  # seconds that turns have to end in when the server is stopped

Docs = Annotated[Path | None, typer.Option("--docs", help="Folder or file to ask. Left out: the setting docs, else ./rag_data.")]
NoDocs = Annotated[bool, typer.Option("--no-docs", help="Plain chat, no documents.")]
Model = Annotated[str | None, typer.Option("--model", help="Chat model, as provider:model.")]
Embedder = Annotated[str | None, typer.Option("--embeddings", help="Embedding model, as provider:model.")]


def serve(
    docs: Docs = None,
    no_docs: NoDocs = False,
    model: Model = None,
    embeddings: Embedder = None,
    host: Annotated[
        str, typer.Option("--host", help="Address to listen at; any but this machine's own demands a token.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option("--port", min=0, max=65535, help="0 takes a free one.")] = 8765,
    token: Annotated[
        str | None, typer.Option("--token", envvar=TOKEN, help="What callers must send; better given as the variable.")
    ] = None,
    allow_host: Annotated[
        list[str] | None, typer.Option("--allow-host", help="Another name it is called by; may be repeated.")
    ] = None,
    at_once: Annotated[
        int, typer.Option("--at-once", min=1, max=64, help="Questions worked on at a time; the others wait in line.")
    ] = 2,
    watch: Annotated[bool, typer.Option("--watch", help="Take up each change of the files as it happens.")] = False,
    open_: Annotated[bool, typer.Option("--open", help="Open the page in a browser.")] = False,
    json_logs: Annotated[bool, typer.Option("--json-logs", help="One JSON object a line in the log.")] = False,
) -> None:
    """Serve the web page, the HTTP API with events, OpenAI's protocol under /v1, and MCP under /mcp. Ctrl-C ends it."""
    settings, path = _chosen(docs, no_docs, model, embeddings)
    rules_of = _needs("serve", "rag_agent.server.guard").Rules
    loopback = _needs("serve", "rag_agent.server.guard").LOOPBACK
    if host not in loopback and not token:
        raise SettingsError(f"--host {host} lets others in: give a token with the variable {TOKEN}, or leave --host out")
    if token is not None and len(token) < 16:
        raise SettingsError("the token is shorter than 16 characters; take a longer one, as `openssl rand -hex 24` makes them")
    wild = host in ("0.0.0.0", "::", "")
    hosts = (
        frozenset()
        if wild and not allow_host
        else frozenset({*loopback, host.lower(), *(name.lower() for name in allow_host or ())})
    )
    service = _needs("serve", "rag_agent.server.service").Service(
        settings, path, _maker(settings, path), at_once=at_once, watch=watch
    )
    app = _needs("serve", "rag_agent.server.app").application(service, rules_of(hosts=hosts, token=token))
    _run(app, host, port, token, open_, json_logs)


def mcp(docs: Docs = None, no_docs: NoDocs = False, model: Model = None, embeddings: Embedder = None) -> None:
    """Serve the Model Context Protocol on standard input and output, for assistants that start it themselves."""
    settings, path = _chosen(docs, no_docs, model, embeddings)
    server_of = _needs("mcp", "rag_agent.server.mcp").server_of
    from functools import cache

    server_of(cache(_maker(settings, path))).run("stdio")


def _chosen(docs: Path | None, no_docs: bool, model: str | None, embeddings: str | None) -> "tuple[Settings, Path | None]":
    from rag_agent.settings import Settings

    settings = Settings.load(model=model, embeddings=embeddings)
    if no_docs:
        if docs is not None:
            raise SettingsError("--docs and --no-docs contradict each other; leave one out")
        return settings, None
    path = settings.docs_or(docs)
    if not path.expanduser().exists():
        raise DocumentsError(f"there is no {path}; name a folder or file that exists with --docs PATH")
    return settings, path


def _maker(settings: "Settings", path: Path | None) -> "Callable[[], RagAgent]":
    def make() -> "RagAgent":
        from rag_agent.agent import RagAgent

        return RagAgent(path, settings=settings)

    return make


def _needs(extra: str, module: str) -> Any:
    from importlib import import_module

    try:
        return import_module(module)
    except ImportError as error:
        raise SettingsError(f"`rag-agent {extra}` needs {error.name}; install it: pip install 'rag-agent[serve]'") from error


def _run(app: Any, host: str, port: int, token: str | None, open_: bool, json_logs: bool) -> None:
    import socket

    import uvicorn

    from rag_agent import console

    _log_to_standard_error(json_logs)
    try:
        listening = socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET, backlog=2048)
    except OSError as error:
        raise SettingsError(f"port {port} of {host} cannot be used ({error.strerror}); name another with --port, or 0") from error
    shown = "127.0.0.1" if host in ("0.0.0.0", "") else f"[{host}]" if ":" in host else host
    address = f"http://{shown}:{listening.getsockname()[1]}/"
    console.note(f"Serving {address} (OpenAI's protocol: {address}v1, MCP: {address}mcp). Ctrl-C ends it.")
    if open_:
        import webbrowser

        webbrowser.open(f"{address}#token={token}" if token else address)
    config = uvicorn.Config(app, access_log=False, log_config=None, timeout_graceful_shutdown=_GRACE, server_header=False)
    with listening, suppress(KeyboardInterrupt):  # which ends it, after the turns that are under way
        uvicorn.Server(config).run(sockets=[listening])


def _log_to_standard_error(json_logs: bool) -> None:
    import json
    import logging

    class Lines(logging.Formatter):
        """Plain values, a JSON object a line."""

        def format(self, record: logging.LogRecord) -> str:
            values = {name: getattr(record, name) for name in ("method", "route", "status", "ms") if hasattr(record, name)}
            if not values:
                values = {"message": record.getMessage()}
            if record.exc_info:
                values["error"] = self.formatException(record.exc_info)
            return json.dumps(
                {"time": self.formatTime(record), "level": record.levelname.lower(), "logger": record.name, **values}
            )

    handler = logging.StreamHandler()
    handler.setFormatter(Lines() if json_logs else logging.Formatter("%(asctime)s %(message)s", "%H:%M:%S"))
    logging.basicConfig(handlers=[handler], level=logging.WARNING, force=True)
    logging.getLogger("rag_agent").setLevel(logging.INFO)
