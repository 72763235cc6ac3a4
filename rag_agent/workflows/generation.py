"""The node that lets the model answer from the passages: `generate`."""

from rag_agent import prompts
from rag_agent.grounding.draft import draft_messages
from rag_agent.grounding.passages import Passage
from rag_agent.models.window import as_many
from rag_agent.workflows.state import AgentState
from rag_agent.workflows.writer import Writer, usage_after


class Generation:
    """Puts the question before the model with as many passages as fit."""

    def __init__(self, writer: Writer) -> None:
        self._writer = writer

    def generate(self, state: AgentState) -> AgentState:
        """Let the model answer from the passages; the likeliest come first into its window."""
        found = [Passage(**values) for values in state["passages"]]
        question = state["queries"][0][0]
        count = as_many(self._writer.model, lambda n: draft_messages(question, found[:n], self._writer.system), len(found))
        left_out = list(state.get("left_out", []))
        if count < len(found):
            left_out.append(prompts.PASSAGES_LEFT_OUT.format(shown=count, passages=len(found)))
        if not count:
            return {"draft": "", "left_out": left_out}  # without a passage its reply could stand on nothing
        reply = self._writer.reply(draft_messages(question, found[:count], self._writer.system))
        return {"draft": str(reply.text).strip(), "usage": usage_after(state, reply), "left_out": left_out}
