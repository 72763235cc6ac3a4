"""rag-agent itself, as `rag-agent ask --model ollama:reader` starts it."""

import os
from collections.abc import Callable
from typing import Any

from driver import Job, run


def start(job: Job) -> Callable[[str], dict[str, Any]]:
    """`RagAgent` with its defaults."""
    os.environ["OLLAMA_HOST"] = job.ollama.removeprefix("http://")
    from rag_agent import RagAgent, Settings

    agent = RagAgent(job.docs, model=f"ollama:{job.reader}", settings=Settings.load(home=job.work / "home"))
    agent.index()

    def answer(question: str) -> dict[str, Any]:
        found = agent.ask(question)
        return {"text": found.text, "refused": found.refused, "kind": found.kind}

    return answer


run(start)
