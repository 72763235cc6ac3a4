"""The chat model as the nodes use it: how far its reading is trusted, and replies that can be called off."""

from collections.abc import Callable, Generator, Iterator
from typing import Literal

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage, SystemMessage
from langgraph.config import get_stream_writer
from langgraph.constants import TAG_NOSTREAM

from rag_agent import prompts
from rag_agent.errors import SettingsError, TurnStoppedError
from rag_agent.models.capability import is_capable, is_judge
from rag_agent.workflows.context import AnswerSetting, is_stopped, varied
from rag_agent.workflows.state import AgentState

RewriteSetting = Literal["auto", "model", "builtin"]
_GREEDY = {
    "temperature": 0, "top_p": None, "top_k": None, "do_sample": None, "num_return_sequences": 1, "min_new_tokens": None,
}  # fmt: skip


class Writer:
    """A chat model, the role it plays and what it may do."""

    def __init__(
        self,
        model: BaseChatModel,
        *,
        system: str | None,
        answer: AnswerSetting,
        rewrite: RewriteSetting,
        models: Callable[[str], BaseChatModel] | None = None,
    ) -> None:
        self._model = model
        self._models = models
        self._capable: dict[str | None, bool] = {}
        self.system = system
        self._answer = answer
        self._rewrite = rewrite

    @property
    def model(self) -> BaseChatModel:
        """The chat model of the running turn.

        Raises:
            SettingsError: The turn's context names one, and this graph has no others.
        """
        name = varied("model")
        if name is None:
            return self._model
        if self._models is None:
            raise SettingsError(f"context: model is {name!r}, and this graph has one model alone; leave it out")
        return self._models(name)

    @property
    def reads_well(self) -> bool:
        """Whether the model is large enough to be a reader; found out at the first question: a server may be asked."""
        name = varied("model")
        if name not in self._capable:
            self._capable[name] = is_capable(self.model)
        return self._capable[name]

    @property
    def judges(self) -> bool:
        """Whether the model is large enough to judge what a quote says, unasked."""
        return is_judge(self.model)

    @property
    def answers(self) -> bool:
        """Whether its own words may answer."""
        answer = varied("answer") or self._answer
        return answer == "generate" or (answer == "auto" and self.reads_well)

    @property
    def rewrites(self) -> bool:
        """Whether it says follow-ups in full. Who wants quotes alone is not made to wait for a model unasked."""
        return self._rewrite == "model" or (self._rewrite == "auto" and self.answers and self.reads_well)

    @property
    def role(self) -> SystemMessage:
        """The role as a message."""
        return SystemMessage(self.system or prompts.SYSTEM)

    def reply(self, messages: list[BaseMessage], *, shown: bool = False) -> BaseMessage:
        """The model's reply, read token by token so that it can be called off; `shown` hands the tokens on.

        Raises:
            TurnStoppedError: The caller called the turn off.
        """
        write = get_stream_writer()
        whole: AIMessageChunk | None = None
        for chunk in self._until_stopped(self.model.stream(messages)):
            if shown and (text := str(chunk.text)):
                write({"type": "token", "text": text})
            whole = chunk if whole is None else whole + chunk
        return whole if whole is not None else AIMessage("")

    def aside(self, messages: list[BaseMessage]) -> BaseMessage:
        """The reply to something that is no part of the conversation: without chance, and in no stream of messages.

        Raises:
            TurnStoppedError: The caller called the turn off.
        """
        whole: AIMessageChunk | None = None
        for chunk in self._until_stopped(self._greedy.stream(messages, {"tags": [TAG_NOSTREAM]})):
            whole = chunk if whole is None else whole + chunk
        return whole if whole is not None else AIMessage("")

    def _until_stopped(self, chunks: Iterator[AIMessageChunk]) -> Iterator[AIMessageChunk]:
        try:
            for chunk in chunks:
                if is_stopped():
                    raise TurnStoppedError("the turn was called off")
                yield chunk
        finally:
            # Ends the generation now: the traceback of an error would keep the stream, and the model at work, for long.
            if isinstance(chunks, Generator):
                chunks.close()

    @property
    def _greedy(self) -> BaseChatModel:
        known = type(self.model).model_fields
        return self.model.model_copy(update={name: value for name, value in _GREEDY.items() if name in known})


def usage_after(state: AgentState, *replies: BaseMessage) -> dict[str, int]:
    """Tokens so far and those of some more replies."""
    total = dict(state.get("usage", {}))
    for reply in replies:
        told = getattr(reply, "usage_metadata", None) or {}
        for key in ("input_tokens", "output_tokens"):
            if key in told:
                total[key] = total.get(key, 0) + int(told[key])
    return total


def cut_short(*replies: BaseMessage) -> list[str]:
    """What to tell of replies that ended because they were as long as allowed."""
    told = [getattr(reply, "response_metadata", {}) for reply in replies]
    ends = [one.get("finish_reason") or one.get("done_reason") or one.get("stop_reason") for one in told]
    return [prompts.REPLY_CUT] if any(end in ("length", "max_tokens") for end in ends) else []
