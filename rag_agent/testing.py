"""Doubles for tests: a chat model that says what it is told to, and embeddings that a reader can compute by hand."""

import math
import re
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from langchain_core.callbacks import CallbackManagerForLLMRun
from langchain_core.embeddings import Embeddings
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage
from langchain_core.messages.ai import UsageMetadata
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, ChatResult
from pydantic import ConfigDict, Field

Reply = str | BaseException | Sequence[str | BaseException]
"""A reply; an error to raise in place of one; or pieces to stream as they are, with an error among them."""


class ScriptedChat(BaseChatModel):
    """A chat model that replies from a list, or with a function of the messages, and keeps what it was sent.

    `ScriptedChat(["Yes.", "No."])` replies so to the first and the second call, `ScriptedChat(lambda messages: ...)` to any.
    A reply is streamed word by word. Its words are its tokens: `usage_metadata` counts words.
    """

    model_config = ConfigDict(arbitrary_types_allowed=True)

    replies: list[Any] | Callable[[list[BaseMessage]], Any]
    rag_agent_name: str = "scripted"
    sent: list[list[BaseMessage]] = Field(default_factory=list)
    """The messages of every call."""

    def __init__(self, replies: Sequence[Reply] | Callable[[list[BaseMessage]], Reply], **fields: Any) -> None:
        """Name the replies.

        Args:
            replies: One a call, or a function that makes one of the messages.
            fields: Other fields of the model.
        """
        super().__init__(replies=replies if callable(replies) else list(replies), **fields)

    @property
    def _llm_type(self) -> str:
        return "rag-agent-scripted"

    def _pieces(self, messages: list[BaseMessage]) -> Iterator[str]:
        self.sent.append(list(messages))
        if callable(self.replies):
            reply = self.replies(list(messages))
        elif len(self.sent) > len(self.replies):
            raise AssertionError(f"call {len(self.sent)} of a model that has {len(self.replies)} replies")
        else:
            reply = self.replies[len(self.sent) - 1]
        pieces = re.findall(r"\s*\S+\s*$|\s*\S+", reply) if isinstance(reply, str) else reply
        for piece in [pieces] if isinstance(pieces, BaseException) else pieces:
            if isinstance(piece, BaseException):
                raise piece
            yield piece

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        text = "".join(self._pieces(messages))
        message = AIMessage(text, usage_metadata=_usage(messages, text), response_metadata={"finish_reason": "stop"})
        return ChatResult(generations=[ChatGeneration(message=message)])

    def _stream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> Iterator[ChatGenerationChunk]:
        text = ""
        for piece in self._pieces(messages):
            text += piece
            chunk = ChatGenerationChunk(message=AIMessageChunk(content=piece))
            if run_manager:
                run_manager.on_llm_new_token(piece, chunk=chunk)
            yield chunk
        last = AIMessageChunk(
            content="", usage_metadata=_usage(messages, text), response_metadata={"finish_reason": "stop"}, chunk_position="last"
        )
        yield ChatGenerationChunk(message=last)


class CountEmbeddings(Embeddings):
    """Vectors of how often each of some words (or letters) stands in a text, scaled to length 1.

    `CountEmbeddings(["moon", "water"]).embed_query("Moon, moon and water")` is `[2, 1, 0] / √5`: upper and lower case
    are the same, and a last number is 1 where none of the words is found, else 0. It keeps what it was given.
    """

    def __init__(self, words: Sequence[str] = "aeiou") -> None:
        """Name the words."""
        self.words = [word.lower() for word in words]
        self.rag_agent_name = f"counts of {' '.join(self.words)}"
        self.documents: list[str] = []
        """Every text that was embedded as a document."""
        self.queries: list[str] = []
        """Every text that was embedded as a query."""

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        """One unit vector a text."""
        self.documents += texts
        return [self._vector(text) for text in texts]

    def embed_query(self, text: str) -> list[float]:
        """The unit vector of a question."""
        self.queries.append(text)
        return self._vector(text)

    def _vector(self, text: str) -> list[float]:
        counts = [text.lower().count(word) for word in self.words]
        counts.append(0 if any(counts) else 1)
        length = math.hypot(*counts)
        return [count / length for count in counts]


def _usage(messages: Sequence[BaseMessage], text: str) -> UsageMetadata:
    read, written = sum(len(str(message.text).split()) for message in messages), len(text.split())
    return UsageMetadata(input_tokens=read, output_tokens=written, total_tokens=read + written)
