import json
from dataclasses import FrozenInstanceError

import pytest

from rag_agent import Answer, Citation, Event, Hit, IndexReport
from rag_agent.answers import Sentence

CITATION = Citation("moon.txt", 0, 5, 9, "Moon")
HIT = Hit("moon.txt", 0, 0, 9, "The Moon", 0.5)
ANSWER = Answer(
    "The Moon [1].", "generated", (CITATION,), (Sentence("The Moon", "quote", (0,)),), (HIT,), query="What?", thread_id="t",
    model="m", usage={"input_tokens": 3}, timings={"total": 0.1}, left_out=("one sentence",), question="what",
)  # fmt: skip
FIELDS = {"text", "kind", "refused", "citations", "context", "query", "thread_id", "model", "usage", "timings", "left_out"}


def test_an_answer_comes_back_from_its_plain_values() -> None:
    assert Answer.from_dict(ANSWER.to_dict()) == ANSWER
    assert Answer.from_dict(json.loads(json.dumps(ANSWER.to_dict()))) == ANSWER


def test_plain_values_hold_the_promised_fields() -> None:
    values = ANSWER.to_dict()
    assert values.keys() >= FIELDS
    assert values["citations"][0] == {
        "file": "moon.txt", "article": 0, "start": 5, "end": 9, "quote": "Moon", "page": None, "section": "",
    }  # fmt: skip
    assert values["sentences"] == ({"text": "The Moon", "standing": "quote", "citations": (0,)},)
    assert values["context"][0].keys() >= {"file", "article", "start", "end", "text", "score"}


@pytest.mark.parametrize(("kind", "refused"), [("refusal", True), ("generated", False), ("quote", False), ("chat", False)])
def test_a_refusal_is_told_by_its_kind(kind: str, refused: bool) -> None:
    answer = Answer("x", kind)  # type: ignore[arg-type]
    assert answer.refused is refused
    assert answer.to_dict()["refused"] is refused


@pytest.mark.parametrize("value", [ANSWER, CITATION, HIT, Event("step"), IndexReport(1, 2)])
def test_values_are_frozen(value: object) -> None:
    with pytest.raises(FrozenInstanceError):
        value.text = "other"  # type: ignore[attr-defined]


def test_a_report_holds_the_promised_fields() -> None:
    promised = {"files", "chunks", "added", "updated", "removed", "unchanged", "skipped", "seconds"}
    assert IndexReport(1, 2).to_dict().keys() >= promised
