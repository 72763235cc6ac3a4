"""The published conformance suite for LangGraph savers, over ours, in a file and in memory."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from langgraph.checkpoint.conformance import checkpointer_test, validate
from langgraph.checkpoint.conformance.report import CapabilityReport

from rag_agent.memory.checkpointer import Checkpointer


def report(path: Path | None) -> CapabilityReport:
    @checkpointer_test(name="rag_agent.memory.Checkpointer")
    async def ours() -> AsyncIterator[Checkpointer]:
        saver = Checkpointer(path)
        yield saver
        saver.close()

    return asyncio.run(validate(ours))


@pytest.mark.parametrize("kept", ["file", "memory"])
def test_the_saver_has_every_capability_in_full(kept: str, tmp_path: Path) -> None:
    found = report(tmp_path / "threads.sqlite" if kept == "file" else None)
    found.print_report()
    assert found.passed_all()
    assert found.conformance_level() == "FULL"
