"""Summaries of older turns in the model's words.

They are derived from the turns, so they are kept in memory alone, by a hash of what they summarise: a conversation that goes on
finds the one of before, a fork shares it, an edited one does not, and a file of conversations holds none.
"""

import hashlib
import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import NamedTuple, Protocol

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import BaseMessage, HumanMessage, SystemMessage

from rag_agent import prompts
from rag_agent.errors import TurnStoppedError
from rag_agent.grounding.template import neutralise
from rag_agent.grounding.transforming import shortened
from rag_agent.models.window import Window, as_many

_EVERY = 8  # turns after which a summary is made anew: a call each time would double what an answer costs
_KEPT = 64  # summaries
_WORDS = 300  # at most

Ask = Callable[[list[BaseMessage]], str]
"""Gives a model's reply to something that is no part of the conversation."""


class Said(Protocol):
    """A finished turn."""

    @property
    def question(self) -> str:
        """What was asked."""

    @property
    def answer(self) -> str:
        """What was answered."""

    @property
    def whole(self) -> str:
        """Both, as they are told to a model."""


class Summary(NamedTuple):
    """What a model made of older turns."""

    text: str = ""
    """"" where there is none."""
    covered: frozenset[int] = frozenset()
    """The numbers of the turns that it tells of."""


_summaries: OrderedDict[bytes, Summary] = OrderedDict()
_lock = threading.Lock()


def summary_of(said: Sequence[Said], older: int, model: BaseChatModel, ask: Ask) -> Summary:
    """The summary of a conversation's older turns; most calls find the one of a few turns before.

    It is rolling: a new one is made of the one before and the turns since. Where the model fails, the one before stands, and the
    model is not asked again at once.

    Args:
        said: Every turn of the conversation, oldest first.
        older: How many of them are to be summarised; once a few more have been added, a new summary is made.
        model: Whose window the turns have to fit.
        ask: Calls the model.
    """
    marks = _marks(said)
    with _lock:
        last = next((count for count in range(len(said), 0, -1) if marks[count - 1] in _summaries), 0)
        former = _summaries[marks[last - 1]] if last else Summary()
        if last:
            _summaries.move_to_end(marks[last - 1])
    if older - last < _EVERY:
        return former
    made = _made(said, older, former, model, ask)
    with _lock:
        _summaries[marks[older - 1]] = made
        while len(_summaries) > _KEPT:
            _summaries.popitem(last=False)
    return made


def forget() -> None:
    """Forget all summaries, since a conversation is deleted for good; others are made again when they are needed."""
    with _lock:
        _summaries.clear()


def _made(said: Sequence[Said], older: int, former: Summary, model: BaseChatModel, ask: Ask) -> Summary:
    """A new summary, of as many of the latest turns as fit; the former one where the model makes none."""
    new = [number for number in range(1, older + 1) if number not in former.covered]
    words = min(_WORDS, Window(model).most // 10)

    def prompt(count: int) -> list[BaseMessage]:
        before = [prompts.SUMMARY_BEFORE.format(summary=former.text)] if former.text else []
        # Answers are made of documents, so their text is data here too.
        text = "\n".join([*before, *(neutralise(said[number - 1].whole) for number in new[len(new) - count :])])
        return [SystemMessage(prompts.SUMMARY_SYSTEM), HumanMessage(prompts.SUMMARY.format(conversation=text, words=words))]

    count = as_many(model, prompt, len(new))
    text = _reply(ask, prompt(count)) if count else ""
    if not text:
        return former
    # Models overstep what they are told, and the next summary is made of this one.
    return Summary(shortened(neutralise(text), 2 * words), former.covered | set(new[len(new) - count :]))


def _reply(ask: Ask, prompt: list[BaseMessage]) -> str:
    try:
        return ask(prompt).strip()
    except TurnStoppedError:
        raise
    except Exception:  # of whatever kind; if the model is gone, the answer itself will say so
        return ""


def _marks(said: Sequence[Said]) -> list[bytes]:
    """A hash of the conversation up to each turn."""
    running, marks = hashlib.sha256(), []
    for turn in said:
        running.update(f"{len(turn.question)} {len(turn.answer)} {turn.question}{turn.answer}".encode("utf-8", "replace"))
        marks.append(running.digest())
    return marks
