"""The node that lets the model answer from the passages: `generate`."""

from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, SystemMessage

from rag_agent import prompts
from rag_agent.grounding.packing import packed
from rag_agent.grounding.template import neutralise
from rag_agent.models.window import as_many
from rag_agent.visible import visible_line
from rag_agent.workflows.state import AgentState, passage_of
from rag_agent.workflows.writer import Writer, cut_short, usage_after

_SENTENCES = 10  # that a model which reads well is asked for at most


class Generation:
    """Puts the question before the model with as many sentences of the passages as fit, in the form that suits it."""

    def __init__(self, writer: Writer) -> None:
        self._writer = writer

    def generate(self, state: AgentState) -> AgentState:
        """Let the model answer from the passages; the sentences that are likeliest to answer come first into its window."""
        long = self._writer.reads_long
        total = len(state["ranked"] if long else state["quotes"])

        def prompt(count: int) -> list[BaseMessage]:
            return self._long_prompt(state, count) if long else _short_prompt(state, count)

        count = as_many(self._writer.model, prompt, total)
        left_out = [] if count == total else [prompts.PASSAGES_LEFT_OUT.format(shown=count, sentences=total)]
        if total and not count:
            return {"draft": "", "left_out": left_out}  # without a passage its reply could stand on nothing
        reply = self._writer.reply(prompt(count))
        return {"draft": str(reply.text).strip(), "usage": usage_after(state, reply), "left_out": [*left_out, *cut_short(reply)]}

    def _long_prompt(self, state: AgentState, count: int) -> list[BaseMessage]:
        found = [passage_of(document) for document in state["context"]]
        fenced = [
            prompts.PASSAGE.format(number=place, file=neutralise(visible_line(found[number].file)), text=neutralise(text))
            for place, (number, text) in enumerate(packed([one.text for one in found], state["ranked"], count), start=1)
        ]
        question = state["queries"][0][0]
        prompt = prompts.ANSWER.format(
            passages="\n\n".join(fenced), question=question, sentences=_SENTENCES, no_answer=prompts.NO_ANSWER
        )
        role = f"{self._writer.system}\n\n{prompts.DOCUMENTS_SYSTEM}" if self._writer.system else prompts.DOCUMENTS_SYSTEM
        return [SystemMessage(role), HumanMessage(prompt)]


def _short_prompt(state: AgentState, count: int) -> list[BaseMessage]:
    best = sorted(state["quotes"], key=lambda claim: -claim["score"])[:count]
    text = neutralise(" ".join(neutralise(claim["text"]) for claim in state["quotes"] if claim in best))  # a marker in two halves
    messages: list[BaseMessage] = [SystemMessage(prompts.SMALL_SYSTEM)]
    for asked, answered in prompts.SMALL_EXAMPLES:
        messages += [HumanMessage(asked), AIMessage(answered)]
    return [*messages, HumanMessage(prompts.SMALL_QUESTION.format(text=text, question=state["queries"][0][0]))]
