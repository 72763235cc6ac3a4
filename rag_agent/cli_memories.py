"""The commands `rag-agent memories ...`."""

from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Any

import typer

from rag_agent.cli_trust import Commands
from rag_agent.errors import SettingsError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rag_agent.answers import Remembered
    from rag_agent.memory.user_memories import UserMemories

memories_app = Commands(
    help="What you stated of yourself or asked to keep, across conversations.", rich_markup_mode=None, no_args_is_help=True
)

AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON value and nothing else on standard output.")]
User = Annotated[str | None, typer.Option("--user", help="Whose memories. Left out: the setting user.")]
Thread = Annotated[str | None, typer.Option("--thread", help="Those that came from this conversation.")]
ID = Annotated[str, typer.Argument(help="Of the memory, or its first characters.")]


@memories_app.command("list")
def memories_list(thread: Thread = None, user: User = None, as_json: AsJson = False) -> None:
    """List what is remembered, with the conversation and turn it came from, oldest first."""
    from rag_agent import console

    with _memories(user) as memories:
        found = memories.list(thread_id=thread)
    if as_json:
        console.print_json([one.to_dict() for one in found])
        return
    rows = [(one.id, one.time[:10], _from(one), console.line(one.text)) for one in found]
    console.print_table(("memory", "kept", "thread and turn", "statement"), rows)


@memories_app.command("add")
def memories_add(text: str, user: User = None, as_json: AsJson = False) -> None:
    """Keep a statement, in place of an earlier one of the same fact."""
    from rag_agent import console

    with _memories(user) as memories:
        made = memories.add(text)
    console.print_json(made.to_dict()) if as_json else console.out(f"{made.id}  {console.line(made.text)}")


@memories_app.command("edit")
def memories_edit(memory_id: ID, text: str, user: User = None, as_json: AsJson = False) -> None:
    """Correct a memory; the conversation it came from stays as it is."""
    from rag_agent import console

    with _memories(user) as memories:
        made = memories.edit(memory_id, text)
    console.print_json(made.to_dict()) if as_json else console.out(f"{made.id}  {console.line(made.text)}")


@memories_app.command("forget")
def memories_forget(
    memory_ids: Annotated[list[str] | None, typer.Argument(help="Of the memories, or their first characters.")] = None,
    thread: Thread = None,
    user: User = None,
    as_json: AsJson = False,
) -> None:
    """Forget memories for good. The turns that say them, or rest on them, are taken out of all conversations, too."""
    from rag_agent import console

    if not memory_ids and thread is None:
        raise SettingsError("forget what? name a memory of `rag-agent memories list`, or a conversation with --thread")
    with _memories(user) as memories:
        done = memories.forget(*(memory_ids or []), thread_id=thread)
    if as_json:
        told: dict[str, Any] = {
            "forgotten": [one.id for one in done.memories], "threads": dict(done.threads), "left": list(done.left),
        }  # fmt: skip
        console.print_json(told)
        return
    console.note(f"{len(done.memories)} forgotten.")
    for name, count in done.threads:
        console.note(f"In thread {console.line(name)}, {count} questions and replies that said it now read “[forgotten]”.")
    for name in done.left:
        console.note(f"Thread {console.line(name)} may still say it; delete it with `rag-agent threads delete`.")


def _from(memory: "Remembered") -> str:
    from rag_agent import console

    return f"{console.line(memory.thread_id)}, turn {memory.turn}" if memory.thread_id else "added"


@contextmanager
def _memories(user: str | None) -> "Iterator[UserMemories]":
    from rag_agent.agent import RagAgent
    from rag_agent.settings import Settings

    with RagAgent(settings=Settings.load(user=user)) as agent:
        yield agent.memories
