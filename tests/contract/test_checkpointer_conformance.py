"""LangGraph's published suite for checkpointers."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

from langgraph.checkpoint.conformance import checkpointer_test, validate

from rag_agent.memory.checkpointer import Checkpointer


def test_the_base_capabilities_are_full(tmp_path: Path) -> None:
    made = iter(range(100))

    @checkpointer_test(name="Checkpointer")
    async def fresh() -> AsyncIterator[Checkpointer]:
        saver = Checkpointer(tmp_path / f"{next(made)}.sqlite")
        try:
            yield saver
        finally:
            saver.close()

    report = asyncio.run(validate(fresh))
    failures = {name: result.failures for name, result in report.results.items() if result.failures}
    assert failures == {}
    assert report.passed_all_base()
