"""Size on disk and seconds a turn of conversations, against LangGraph's own SqliteSaver under the same graph.

    python scripts/bench_threads.py [--turns 10 100 200 400] [--graph agent|chat]

The model is scripted and answers at once, so that what is timed is the turn's own overhead: reading the conversation,
the graph, the prompt, storing. Sizes are those of one conversation that grows. For the times there is a conversation of each
length, and their next turns are asked in rotation, so that whatever else the machine does disturbs them alike; the fastest
of 15 counts.
"""

import argparse
import sqlite3
import tempfile
import time
from pathlib import Path
from typing import Any

from langchain_core.messages import BaseMessage
from langgraph.checkpoint.sqlite import SqliteSaver

from rag_agent.memory.checkpointer import Checkpointer
from rag_agent.testing import ScriptedChat
from rag_agent.workflows import agent_graph, chat_graph

WORDS = "river harbour granite copper lantern orchard winter signal meadow timber anchor velvet quarry beacon".split()


def said(number: int) -> str:
    """Some forty words that differ from turn to turn."""
    return " ".join(WORDS[(number * step + step) % len(WORDS)] + str(number * step % 97) for step in range(1, 41)) + "."


def reply(messages: list[BaseMessage]) -> str:
    """Twice as many, as an assistant says."""
    number = len(str(messages[-1].content))
    return f"{said(number)} {said(number + 1)}"


def size(path: Path) -> int:
    """Bytes of the file, its log taken in."""
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()
    return path.stat().st_size


def run(saver: Any, path: Path, graph: str, marks: list[int]) -> dict[int, tuple[int, float]]:
    """Bytes and seconds a turn at each mark."""
    model = ScriptedChat(reply)
    builder: Any = agent_graph(model) if graph == "agent" else chat_graph(model)
    compiled = builder.compile(checkpointer=saver)
    found: dict[int, int] = {}

    def ask(thread: str, number: int) -> float:
        text = f"Tell me about the {WORDS[number % len(WORDS)]} and the number {number}, please."
        given = {"question": text} if graph == "agent" else {"messages": [("user", text)]}
        began = time.process_time()
        compiled.invoke(given, {"configurable": {"thread_id": thread}}, durability="exit")
        spent = time.process_time() - began
        model.sent.clear()
        return spent

    for number in range(1, max(marks) + 1):
        ask("growing", number)
        if number in marks:
            found[number] = size(path)
    for mark in marks:
        for number in range(1, mark):
            ask(f"timed {mark}", number)
    times = [{mark: ask(f"timed {mark}", mark + later) for mark in marks} for later in range(15)]
    return {mark: (found[mark], min(spent[mark] for spent in times)) for mark in marks}


def main() -> None:
    """Print the table and what it must show."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--turns", type=int, nargs="+", default=[10, 100, 200, 400])
    parser.add_argument("--graph", choices=["agent", "chat"], default="agent")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        paths = [Path(folder, name) for name in ("warm-up", "ours", "stock")]
        run(Checkpointer(paths[0]), paths[0], given.graph, [2])  # imports and first calls
        ours = Checkpointer(paths[1])
        stock = SqliteSaver(sqlite3.connect(paths[2], check_same_thread=False))
        savers = ((ours.lending(), paths[1]), (stock, paths[2]))  # lending: as `RagAgent` runs its turns
        found = [run(saver, path, given.graph, given.turns) for saver, path in savers]
        ours.close()
        stock.conn.close()
    print(f"graph: {given.graph}")
    print(f"{'turns':>6} {'ours, bytes':>14} {'stock, bytes':>14} {'ours, ms a turn':>16} {'stock, ms a turn':>17}")
    for mark in given.turns:
        (size_ours, time_ours), (size_stock, time_stock) = found[0][mark], found[1][mark]
        print(f"{mark:>6} {size_ours:>14,} {size_stock:>14,} {time_ours * 1e3:>16.1f} {time_stock * 1e3:>17.1f}")
    first, last = min(given.turns), max(given.turns)
    half = last // 2
    if half in given.turns:
        print(f"size at {last} / size at {half}: {found[0][last][0] / found[0][half][0]:.2f} (at most 2.2)")
    print(f"size at {last}, stock / ours: {found[1][last][0] / found[0][last][0]:.1f} (at least 10)")
    print(f"time of turn {last} / turn {first}: {found[0][last][1] / found[0][first][1]:.2f} (at most 1.5)")


if __name__ == "__main__":
    main()
