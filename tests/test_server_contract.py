"""schemathesis over the OpenAPI document: what the server is told to give is what it gives, and nothing breaks it."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import hypothesis
import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis import GenerationMode
from schemathesis.specs.openapi.checks import negative_data_rejection, positive_data_acceptance

from rag_agent.testing import ScriptedChat
from tests.conftest import WORDS
from tests.serving import serving

CASES = int(os.environ.get("RAG_AGENT_TEST_CASES", "4"))
"""An operation and way; 100 make 3,600 in all, in 80 s."""


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("contract")
    docs = folder / "docs"
    docs.mkdir()
    (docs / "moon.txt").write_text("Collins stayed in orbit. Armstrong landed on the Moon.", encoding="utf-8")
    before = Path.cwd()
    os.chdir(folder)
    try:
        with serving(docs, WORDS, model=ScriptedChat(lambda messages: "Nothing.")) as client:
            for thread in ("moon", "0"):
                client.post("/api/ask", json={"question": "Who stayed in orbit?", "thread_id": thread})
            yield str(client.base_url)
    finally:
        os.chdir(before)


@pytest.mark.parametrize("mode", list(GenerationMode), ids=lambda mode: mode.value)
def test_the_server_keeps_its_contract(address: str, mode: GenerationMode) -> None:
    schema: Any = schemathesis.openapi.from_url(f"{address}/openapi.json")
    operations = [found.ok() for found in schema.get_all_operations()]
    assert len(operations) > 20
    tried = [0]
    for operation in operations:
        try:
            strategy = operation.as_strategy(generation_mode=mode)
        except schemathesis.errors.InvalidSchema:  # nothing about it can be wrong
            continue

        @given(case=strategy)
        @settings(max_examples=CASES, deadline=None, database=None, suppress_health_check=list(HealthCheck))
        def holds(case: Any) -> None:
            tried[0] += 1
            hypothesis.note(str(case.operation.label))
            # That a text is not blank, or a message the user's, is more than a schema says: a 400 with a line is an answer.
            # And a part of a form is a file, whatever it is called.
            beyond = [positive_data_acceptance, *([negative_data_rejection] if "/documents" in case.operation.label else [])]
            case.call_and_validate(timeout=60, excluded_checks=beyond)

        try:
            holds()
        except hypothesis.errors.Unsatisfiable:  # nothing about it can be wrong
            continue
    assert tried[0] >= 2 * CASES
