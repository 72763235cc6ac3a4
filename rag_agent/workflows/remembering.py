"""The nodes that tell again what was said: `recall`, of the conversation, and `source`, of the last answer; no model is asked."""

import re
from collections.abc import Sequence

from rag_agent import prompts
from rag_agent.answers import Citation, Kind
from rag_agent.language import sentence_texts
from rag_agent.memory.transcript import Turn, turns
from rag_agent.workflows.responding import Responding
from rag_agent.workflows.state import AgentState, before

_WHOLE = 2000  # characters of answers that are told whole; of longer conversations each answer's first sentence
_MARK = re.compile(r"\[(\d+)\]")


class Remembering:
    """Looks earlier turns up in the conversation."""

    def __init__(self, responding: Responding, *, has_documents: bool) -> None:
        self._responding = responding
        self._has_documents = has_documents

    def recall(self, state: AgentState) -> AgentState:
        """Tell a turn again, or all, with the sources of then."""
        told, numbers = turns(before(state)), state["recalled"]
        if numbers[0] > len(told):
            text = self._responding.say(state, "RECALL_NO_TURN", number=numbers[0], turns=len(told))
            return self._responding.answered(state, text, "chat")
        if len(numbers) > 1:
            return self._overview(state, [(number, told[number - 1]) for number in numbers])
        turn = told[numbers[0] - 1]
        form = "RECALL" if self._has_documents else "RECALL_SAID"
        text = self._responding.say(state, form, number=numbers[0], question=turn.question, answer=turn.answer.text)
        # What was searched for then is what to ask when the answer is stale.
        return self._again({**state, "queries": [(turn.answer.query or turn.question, 1.0)]}, text, turn)

    def source(self, state: AgentState) -> AgentState:
        """Tell what the last answer stands on: to "are you sure?", "which document says that?", "why?" where nothing says why."""
        told = (turn for turn in reversed(turns(before(state))) if turn.answer.citations or turn.answer.refused)
        turn = next(told, None)
        if turn is None or turn.answer.refused:
            return self._responding.answered(state, self._responding.say(state, "NO_SOURCE"), "chat")
        quotes = [
            self._responding.say(
                state,
                "SOURCE" if one.page is None else "SOURCE_PAGE",
                file=one.file,
                page=one.page,
                text=" ".join(one.quote.split()),
                number=number,
            )
            for number, one in enumerate(turn.answer.citations, start=1)
        ]
        text = self._responding.say(state, "STANDS_ON", quotes=" ".join(quotes))
        return self._again(state, self._responding.say(state, "NO_REASON") + text if state["turn"] == "why" else text, turn)

    def _overview(self, state: AgentState, told: Sequence[tuple[int, Turn]]) -> AgentState:
        """The turns in a line each, their sources numbered through."""
        citations: list[Citation] = []
        lines = [self._responding.say(state, "RECALL_ALL")]
        short = sum(len(turn.answer.text) for _, turn in told) > _WHOLE
        for number, turn in told:
            text = _renumbered(turn.answer.text, len(citations))
            if turn.answer.refused:
                text = self._responding.say(state, "RECALL_REFUSED")
            elif short:
                text = next(iter(sentence_texts(text)), "")
            lines.append(prompts.RECALL_LINE.format(number=number, question=turn.question, answer=text))
            citations += turn.answer.citations
        files = {file: then for _, turn in told if turn.docs == self._responding.root for file, then in turn.files.items()}
        left_out = [self._responding.say(state, "RECALL_SHORTENED", turns=len(told))] if short else []
        elsewhere = [turn.docs for _, turn in told if turn.answer.citations and turn.docs != self._responding.root]
        left_out += [self._responding.say(state, "RECALL_ELSEWHERE", docs=docs) for docs in dict.fromkeys(elsewhere)]
        left_out += [self._responding.say(state, "RECALL_CHANGED", file=file) for file in self._responding.changed(files)]
        kind: Kind = "transformed" if citations else "chat"
        return self._responding.answered(
            state, "\n".join(lines), kind, citations=tuple(citations), left_out=left_out, files=files
        )

    def _again(self, state: AgentState, text: str, turn: Turn) -> AgentState:
        """An answer that rests on an earlier one."""
        citations = turn.answer.citations
        if turn.docs == self._responding.root:
            left_out = [self._responding.say(state, "RECALL_CHANGED", file=file) for file in self._responding.changed(turn.files)]
        else:
            left_out = [self._responding.say(state, "RECALL_ELSEWHERE", docs=turn.docs)] if citations else []
        kind: Kind = "transformed" if citations else "chat"
        return self._responding.answered(
            state, text, kind, citations=citations, left_out=left_out, files=turn.files, docs=turn.docs
        )


def _renumbered(text: str, by: int) -> str:
    """A text whose marks of citations count from further on."""
    return _MARK.sub(lambda mark: f"[{int(mark[1]) + by}]", text)
