"""Many processes on one file of conversations, and processes killed at any moment: no finished turn may be lost.

scripts/soak memory [--processes 8] [--turns 25] [--kills 100] [--seed 0]
"""

import argparse
import multiprocessing
import os
import random
import signal
import tempfile
import time
from pathlib import Path
from typing import Any

from langchain_core.messages import BaseMessage

from rag_agent.agent import RagAgent
from rag_agent.testing import ScriptedChat


def reply(messages: list[BaseMessage]) -> str:
    """What makes a turn recognisable, and takes a little while as a model does."""
    time.sleep(random.random() * 0.01)
    return f"reply to {messages[-1].content}"


def agent(home: Path) -> RagAgent:
    """A fresh one: each process opens the file itself."""
    return RagAgent(None, model=ScriptedChat(reply), home=home)


def write(home: Path, name: int, turns: int, threads: list[str]) -> None:
    """Ask so many questions in each of some conversations."""
    with agent(home) as asked:
        for turn in range(turns):
            for thread in threads:
                asked.ask(f"Question {turn} of writer {name}", thread_id=thread)


def check_thread(asked: RagAgent, thread: str, wanted: int) -> None:
    """All turns are there, each reply follows its question, and each checkpoint follows on the one before."""
    turns = asked.threads.show(thread)
    assert len(turns) == wanted, f"{thread} has {len(turns)} turns, not {wanted}"
    assert len({turn.question for turn in turns}) == wanted, f"{thread} has a turn twice"
    for turn in turns:
        assert turn.answer.text == f"reply to {turn.question}", f"{thread}: {turn.question!r} has the reply {turn.answer.text!r}"
    states = list(asked.graph.get_state_history({"configurable": {"thread_id": thread}}))
    assert len(states) == wanted, f"{thread} has {len(states)} checkpoints"
    for later, earlier in zip(states, states[1:], strict=False):
        assert (
            later.parent_config
            and earlier.config["configurable"]["checkpoint_id"] == (later.parent_config["configurable"]["checkpoint_id"])
        ), f"{thread}: turns are interleaved"


def together(home: Path, processes: int, turns: int) -> None:
    """Processes with a conversation each and one that all share, in one file."""
    began = time.perf_counter()
    context = multiprocessing.get_context("fork")
    started = [context.Process(target=write, args=(home, name, turns, [f"own-{name}", "shared"])) for name in range(processes)]
    for process in started:
        process.start()
    for process in started:
        process.join()
    assert all(process.exitcode == 0 for process in started), [process.exitcode for process in started]
    with agent(home) as asked:
        for name in range(processes):
            check_thread(asked, f"own-{name}", turns)
        check_thread(asked, "shared", processes * turns)
        assert not asked.threads.check()
    own, spent = processes * turns, time.perf_counter() - began
    print(
        f"{processes} processes x {turns} turns: {own} turns on {processes} threads and {own} on one, all there, in {spent:.0f} s"
    )


def ask_until_killed(home: Path, first: int, told: int) -> None:
    """Ask one question after the other and tell the number of each turn that is finished."""
    with agent(home) as asked:
        for number in range(first, 1_000_000):
            asked.ask(f"Question {number}", thread_id="killed")
            os.write(told, b"%d\n" % number)


def kill(home: Path, kills: int, chance: random.Random) -> None:
    """Kill a process at a random moment, so many times."""
    context: Any = multiprocessing.get_context("fork")
    finished: set[int] = set()
    first = cut_off = 0
    for done in range(kills):
        reading, writing = os.pipe()
        process = context.Process(target=ask_until_killed, args=(home, first, writing))
        process.start()
        os.close(writing)
        time.sleep(chance.uniform(0.0, 0.6))
        os.kill(process.pid, signal.SIGKILL)
        process.join()
        with os.fdopen(reading, "rb") as told:
            finished |= {int(line) for line in told.read().split()}
        first = max(finished, default=first) + 1
        with agent(home) as asked:
            listed = asked.threads.list()
            kept = [int(turn.question.split()[1]) for turn in asked.threads.show("killed")] if listed else []
            assert finished <= set(kept), f"lost after {done + 1} kills: {sorted(finished - set(kept))}"
            assert len(kept) == len(set(kept)) and kept == sorted(kept)
            if listed and (question := listed[0].unfinished):
                cut_off += 1
                assert asked.ask(question, thread_id="killed").text == f"reply to {question}"
                assert asked.threads.list()[0].unfinished is None
                kept.append(int(question.split()[1]))
            # A turn may have been stored in the moment before it could be told.
            finished |= set(kept)
            first = max(kept, default=first - 1) + 1
            if done % 10 == 9 or done == kills - 1:
                assert not asked.threads.check()
    print(f"{kills} kills: {len(finished)} finished turns, all there; {cut_off} turns were cut off, shown, and asked again")


def main() -> None:
    """Run both."""
    parser = argparse.ArgumentParser(prog="soak memory")
    for name, default in (("processes", 8), ("turns", 25), ("kills", 100), ("seed", 0)):
        parser.add_argument(f"--{name}", type=int, default=default)
    given = parser.parse_args()
    agent(Path("unused"))  # imports, before the processes begin
    with tempfile.TemporaryDirectory() as folder:
        together(Path(folder), given.processes, given.turns)
        kill(Path(folder, "killed"), given.kills, random.Random(given.seed))


if __name__ == "__main__":
    main()
