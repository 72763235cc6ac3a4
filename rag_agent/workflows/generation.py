"""The node that lets the model answer from the passages: `generate`."""

from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, SystemMessage

from rag_agent import prompts
from rag_agent.grounding.template import neutralise
from rag_agent.workflows.state import AgentState
from rag_agent.workflows.writer import Writer, usage_after


class Generation:
    """Puts the passages and the question before the model, in the form that suits it."""

    def __init__(self, writer: Writer) -> None:
        self._writer = writer

    def generate(self, state: AgentState) -> AgentState:
        """Let the model answer from the passages."""
        question = state["queries"][0][0]
        messages = self._long_prompt(state, question) if self._writer.reads_well else self._short_prompt(state, question)
        reply = self._writer.reply(messages)
        return {"draft": str(reply.text).strip(), "usage": usage_after(state, reply)}

    def _long_prompt(self, state: AgentState, question: str) -> list[BaseMessage]:
        fenced = [
            prompts.PASSAGE.format(number=n, file=neutralise(document.metadata["file"]), text=neutralise(document.page_content))
            for n, document in enumerate(state["context"], start=1)
        ]
        prompt = prompts.ANSWER.format(passages="\n\n".join(fenced), question=question, sentences=10, no_answer=prompts.NO_ANSWER)
        role = f"{self._writer.system}\n\n{prompts.DOCUMENTS_SYSTEM}" if self._writer.system else prompts.DOCUMENTS_SYSTEM
        return [SystemMessage(role), HumanMessage(prompt)]

    def _short_prompt(self, state: AgentState, question: str) -> list[BaseMessage]:
        text = " ".join(neutralise(claim["text"]) for claim in state["quotes"])
        messages: list[BaseMessage] = [SystemMessage(prompts.SMALL_SYSTEM)]
        for asked, answered in prompts.SMALL_EXAMPLES:
            messages += [HumanMessage(asked), AIMessage(answered)]
        return [*messages, HumanMessage(prompts.SMALL_QUESTION.format(text=text, question=question))]
