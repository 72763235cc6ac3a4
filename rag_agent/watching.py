"""Keeping an index up to date while its files change: `rag-agent index --watch`."""

from collections.abc import Iterator
from pathlib import Path

from rag_agent.agent import RagAgent
from rag_agent.answers import IndexReport
from rag_agent.errors import DocumentsError, RagAgentError


def kept_up_to_date(agent: RagAgent, docs: Path, home: Path | None) -> Iterator[IndexReport | RagAgentError]:
    """Index each change of the documents, until the caller stops.

    Args:
        agent: Over these documents.
        docs: The folder or file. Of a file its folder is watched: editors put a new one in its place.
        home: Where the agent keeps its own files, which are no documents.

    Yields:
        What was done, where anything was; or why a change could not be taken up.

    Raises:
        DocumentsError: The system does not let the folder be watched.
    """
    from watchfiles import Change, watch

    root = docs.expanduser().absolute()
    own = home.expanduser().absolute() if home else None
    real = root.resolve()
    is_file = real.is_file()

    def concerns(change: Change, path: str) -> bool:
        if is_file:
            return Path(path).name in (root.name, real.name)
        return own is None or not Path(path).is_relative_to(own)

    try:
        for _ in watch(real.parent if is_file else real, watch_filter=concerns, raise_interrupt=True):
            try:
                report = agent.index(rebuild=False)
            except RagAgentError as error:
                yield error
                continue
            if report.added or report.updated or report.removed:
                yield report
    except OSError as error:
        raise DocumentsError(
            f"{docs} cannot be watched ({error}); set WATCHFILES_FORCE_POLLING=1 and try again, or index it now and then"
        ) from error
