"""What goes over the wire, for OpenAPI; the values themselves come from `to_dict` of what the agent gives."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from rag_agent.answers import Citation, Hit, Kind, Remembered, Sentence

State = Literal["loading", "indexing", "ready", "empty", "failed"]
MAX_QUESTION = 20_000
ID = Annotated[str, Field(min_length=1, max_length=200, description="ID of a conversation", examples=["moon"])]


class Model(BaseModel):
    """A body: unknown fields are refused, so that a slip does not pass in silence."""

    model_config = ConfigDict(extra="forbid")


class Question(Model):
    """A question, in a conversation or alone."""

    question: Annotated[str, Field(min_length=1, max_length=MAX_QUESTION, pattern=r"\S", examples=["Who stayed in lunar orbit?"])]
    thread_id: ID | None = None


class Title(Model):
    """The title of a conversation."""

    title: Annotated[str, Field(max_length=500, description="Empty gives the first question back.", examples=["The Moon"])]


class Fork(Model):
    """Where a conversation goes on under another ID."""

    new_id: ID
    turn: Annotated[int | None, Field(ge=1, le=1_000_000, description="Counted from 1; left out, the last.")] = None


class Rewind(Model):
    """A turn to go back to."""

    turn: Annotated[int, Field(ge=0, le=1_000_000, description="The last turn that stays, counted from 1.")]


class Edit(Model):
    """Another question in place of a turn's."""

    turn: Annotated[int, Field(ge=1, le=1_000_000)]
    question: Annotated[str, Field(min_length=1, max_length=MAX_QUESTION, pattern=r"\S")]


class Imported(Model):
    """A conversation as it was exported as JSON."""

    content: Annotated[str, Field(min_length=1)]
    thread_id: ID | None = None


class Error(BaseModel):
    """One line that says what is wrong and what to do."""

    error: str


class AnswerOut(BaseModel):
    """An answer, what it stands on, and how it came about; see `rag_agent.Answer`."""

    text: str
    kind: Kind
    refused: bool
    citations: list[Citation]
    sentences: list[Sentence]
    context: list[Hit]
    query: str
    thread_id: str | None
    model: str
    usage: dict[str, int]
    timings: dict[str, float]
    left_out: list[str]
    question: str
    evidence: float | None
    memories: list[Remembered]


class NotRead(BaseModel):
    """A file, and why it, or what of it, was not read."""

    file: str
    why: str


class StatusOut(BaseModel):
    """How far the server is."""

    state: State
    message: str
    done: int
    total: int
    files: int
    chunks: int
    not_read: list[NotRead]
    waiting: int
    docs: str | None


class AboutOut(BaseModel):
    """What answers, and from what; no path, no address."""

    version: str
    model: str
    embeddings: str
    docs: str | None
    k: int
    answer: str
    judge: str
    refusal_threshold: float
    uploads: bool
    suffixes: list[str]


class FileOut(BaseModel):
    """A file of the documents."""

    file: str
    size: int | None = None
    changed: str | None = None


class TextOut(BaseModel):
    """The text of a file, in which all offsets count."""

    file: str
    text: str
    pictures: bool
    """Whether its pages can be shown as pictures."""


class UploadOut(BaseModel):
    """What became of the files that were sent."""

    stored: list[str]
    refused: list[NotRead]


class ThreadOut(BaseModel):
    """A conversation in a list."""

    thread_id: str
    title: str
    turns: int
    last_used: str
    unfinished: str | None


class TurnOut(BaseModel):
    """A question and its answer, and what became of the files that it cites: changed or gone."""

    question: str
    answer: AnswerOut
    stale: dict[str, Literal["changed", "gone"]]


class ConversationOut(BaseModel):
    """A conversation."""

    thread_id: str
    turns: list[TurnOut]
    unfinished: str | None


class Done(BaseModel):
    """The conversation that was worked on."""

    thread_id: str
