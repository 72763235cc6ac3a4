"""The published conformance suite for LangGraph savers, over ours: in a file, in PostgreSQL, and in memory."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

from langgraph.checkpoint.conformance import checkpointer_test, validate

from rag_agent.memory.checkpointer import Checkpointer


def check(path: Path | str | None) -> None:
    @checkpointer_test(name="rag_agent.memory.Checkpointer")
    async def ours() -> AsyncIterator[Checkpointer]:
        saver = Checkpointer(path)
        yield saver
        saver.close()

    found = asyncio.run(validate(ours))
    assert {name: result.failures for name, result in found.results.items() if result.failures} == {}
    assert found.passed_all()
    assert found.conformance_level() == "FULL"


def test_the_saver_has_every_capability_in_full(conversations: Path | str) -> None:
    check(conversations)


def test_so_it_has_in_memory() -> None:
    check(None)
