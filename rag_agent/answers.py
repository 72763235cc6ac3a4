"""What comes back: `Answer`, `Citation`, `Hit`, `Event`, `IndexReport`. Frozen plain values with `to_dict()`."""

import re
from dataclasses import asdict, dataclass, field
from typing import Any, Literal, Self

from rag_agent.as_html import answer_html

_MARK = re.compile(r" ?\[m?\d+\]")

Standing = Literal["quote", "restated", "judged", "remembered"]
"""`quote`: verbatim, shown without the marks of its format; `restated`: word for word from one quote, by deletions that take
nothing away; `judged`: a judge says that the quote says it, and names, numbers, dates and negation match; `remembered`: no
document says it, the user did, and it is shown as that."""

Kind = Literal["generated", "quote", "transformed", "chat", "remembered", "refusal"]


@dataclass(frozen=True)
class _Value:
    def to_dict(self) -> dict[str, Any]:
        """The fields as plain values, ready for `json.dumps`."""
        return asdict(self)


@dataclass(frozen=True)
class Hit(_Value):
    """A passage that a search found: `agent.read(file)[start:end] == text`."""

    file: str
    """Relative to the root of the documents, with forward slashes."""
    article: int
    """The article in the file, counted from 0."""
    start: int
    """Where the passage begins in the file as read, in characters."""
    end: int
    text: str
    score: float
    """How well it answers the query; larger is better, comparable within one search only."""
    page: int | None = None
    """The page, counted from 1, in formats that have pages."""
    similarity: float | None = None
    """The cosine of passage and query, where the index has it."""


@dataclass(frozen=True)
class Citation(_Value):
    """The words that a statement stands on: `agent.read(file)[start:end] == quote`, always."""

    file: str
    article: int
    start: int
    end: int
    quote: str
    page: int | None = None
    section: str = ""
    """What the quote stands under: title, headings, the question it answers, its introduction."""


@dataclass(frozen=True)
class Remembered(_Value):
    """What a user stated of themselves or asked to keep. It is no source."""

    id: str
    text: str
    """In the user's own words."""
    thread_id: str | None = None
    """The conversation it was said in; None for one that was added otherwise."""
    turn: int | None = None
    """Which turn of it, counted from 1."""
    time: str = ""
    """When it was kept, ISO 8601, UTC."""


@dataclass(frozen=True)
class Sentence(_Value):
    """A statement of an answer, and how it stands: see `Standing`."""

    text: str
    standing: Standing
    citations: tuple[int, ...]
    """The places, from 0, of the citations it stands on."""


@dataclass(frozen=True)
class Answer(_Value):
    """An answer, what it stands on, and how it came about."""

    text: str
    """The answer; `[n]` behind a sentence is `citations[n - 1]`, `[mn]` is `memories[n - 1]`."""
    kind: Kind
    """`generated`: the model's sentences, each checked against a quote; `quote`: the best sentences of the documents
    themselves; `transformed`: rests on an earlier answer (shortened, translated, recalled); `chat`: no documents;
    `remembered`: what the user stated themselves, in this turn or an earlier one; `refusal`."""
    citations: tuple[Citation, ...] = ()
    sentences: tuple[Sentence, ...] = ()
    """What `text` says, one by one, with what each stands on; empty where nothing is cited, and in answers of version 0.1."""
    context: tuple[Hit, ...] = ()
    """The passages the answer was made from."""
    query: str = ""
    """What was searched for: the question, completed by the conversation where it leaned on it."""
    thread_id: str | None = None
    model: str = ""
    """The chat model of this agent, as `provider:model`."""
    usage: dict[str, int] = field(default_factory=dict)
    """Tokens that the chat model read (`input_tokens`) and wrote (`output_tokens`); empty when it was not called."""
    timings: dict[str, float] = field(default_factory=dict)
    """Seconds spent in each node of the graph."""
    left_out: tuple[str, ...] = ()
    """What did not fit, or did not pass the check, in words."""
    question: str = ""
    evidence: float | None = None
    """How likely, 0 to 1, the passages found hold the answer (by evidence, where half of all questions have one); what lies
    under the setting `refusal_threshold` is refused. None where nothing was searched."""
    memories: tuple[Remembered, ...] = ()
    """What the user stated, in this turn or earlier ones, that was kept or that the answer rests on. They are no sources."""

    @property
    def refused(self) -> bool:
        """Whether the documents do not answer the question."""
        return self.kind == "refusal"

    def to_dict(self) -> dict[str, Any]:
        """The fields as plain values, ready for `json.dumps`."""
        return {**asdict(self), "refused": self.refused}

    def _repr_html_(self) -> str:
        """How a notebook shows it."""
        return answer_html(self.to_dict())

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Self:
        """The answer that `to_dict` wrote."""
        plain = {name: value for name, value in values.items() if name != "refused"}
        plain["citations"] = tuple(Citation(**citation) for citation in plain.get("citations", ()))
        plain["sentences"] = tuple(
            Sentence(one["text"], one["standing"], tuple(one["citations"])) for one in plain.get("sentences", ())
        )
        plain["memories"] = tuple(Remembered(**memory) for memory in plain.get("memories", ()))
        plain["context"] = tuple(Hit(**hit) for hit in plain.get("context", ()))
        plain["left_out"] = tuple(plain.get("left_out", ()))
        return cls(**plain)


@dataclass(frozen=True)
class Event(_Value):
    """Something that happened while an answer is made: see `RagAgent.stream`."""

    type: Literal["step", "quote", "sentence", "token", "answer"]
    """`step`: a node began or ended; `quote`: one of the best sentences found, told while the model reads; `sentence`: one of
    the answer that has passed the check, or the notice that the documents disagree; `token`: a piece of a `chat` or
    `transformed` reply; `answer`: the last event."""
    node: str = ""
    ended: bool = False
    """For a `step`: whether the node ended (else it began)."""
    text: str = ""
    standing: Standing | None = None
    """Of a `quote` or `sentence`; None for the notice that the documents disagree."""
    answer: Answer | None = None


@dataclass(frozen=True)
class IndexReport(_Value):
    """What indexing did, in files, chunks and seconds."""

    files: int
    """Files in the index now."""
    chunks: int
    """Chunks in the index now."""
    added: tuple[str, ...] = ()
    updated: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    unchanged: int = 0
    skipped: tuple[tuple[str, str], ...] = ()
    """Each file that was passed over, and why."""
    told: tuple[tuple[str, str], ...] = ()
    """What was not read of the files in the index: file and thing, in words."""
    embedded: int = 0
    """Chunks that had to be embedded."""
    seconds: float = 0.0


def without_marks(text: str) -> str:
    """A text without the marks `[n]` of its citations."""
    return _MARK.sub("", text)
