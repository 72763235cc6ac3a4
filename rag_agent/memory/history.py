"""What a model is shown of a conversation: the latest turns whole, older ones that matter, a summary or lines for others."""

import math
import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, AnyMessage, BaseMessage, HumanMessage, SystemMessage

from rag_agent import prompts
from rag_agent.answers import without_marks
from rag_agent.index.tokens import Analyser
from rag_agent.language import sentence_texts
from rag_agent.memory.summaries import Ask, Summary, summary_of
from rag_agent.memory.transcript import pairs
from rag_agent.models.window import Window, as_many

_RECENT, _RECALLED = 0.5, 0.35  # shares of the room for the latest turns and for older ones that matter; lines take the rest
_LINE = 160  # characters of a turn that is told in a line
_PINNED = re.compile(
    r"\b(?:remember|keep in mind|don't forget|do not forget|note that|my name is|call me|merke? dir|denk daran|"
    r"vergiss nicht|mein name ist|ich heiße|onthoud|vergeet niet|mijn naam is|retiens|n'oublie pas|je m'appelle|recuerda|"
    r"no olvides|me llamo)\b",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Shown:
    """A prompt that fits, and what did not."""

    messages: list[BaseMessage]
    left_out: tuple[str, ...] = ()


class _Said(NamedTuple):
    """A finished turn, made anew for each at every question: a dataclass would take three times as long."""

    number: int
    question: str
    answer: str

    @property
    def messages(self) -> list[BaseMessage]:
        return [HumanMessage(self.question), AIMessage(without_marks(self.answer))]

    @property
    def whole(self) -> str:
        return prompts.RECALLED.format(number=self.number, question=self.question, answer=without_marks(self.answer))

    @property
    def line(self) -> str:
        text = f"{self.number}. {_short(self.question)}: {_short(without_marks(self.answer))}"
        return text if len(text) <= _LINE else text[: _LINE - 1] + "…"


def fit(
    model: BaseChatModel, role: SystemMessage, messages: Sequence[AnyMessage], question: str, ask: Ask | None = None
) -> Shown:
    """The conversation as a prompt for the next question.

    The latest turns are shown whole. Where not all fit, those older ones come back whole that the question's words point
    at (BM25) or that the user asked to remember. The others are summarised by the model, if it may be asked; as many as the
    summary does not tell of, and as fit, are told in a line each, the latest first.

    Args:
        model: Whose window it is.
        role: The role, which stands first.
        messages: The conversation.
        question: The next question.
        ask: Calls the model for a summary; None makes none.
    """
    said = [_Said(n, _text(asked), _text(reply)) for n, (asked, reply) in enumerate(pairs(messages), start=1)]
    asked = HumanMessage(question)
    tokens = _Tokens(model, role)
    room = tokens.room - tokens.of(asked)
    recent = _latest(said, room, tokens)
    if len(recent) == len(said):
        return Shown([role, *(message for turn in said for message in turn.messages), asked])
    recent = _latest(said, int(room * _RECENT), tokens) or said[-1:]
    older = said[: len(said) - len(recent)]
    recalled = _fitting(_worth(older, question), int(room * _RECALLED), lambda turn: tokens.text(turn.whole))
    rest = room - sum(tokens.of(*turn.messages) for turn in recent) - sum(tokens.text(turn.whole) for turn in recalled)
    rest -= tokens.text(prompts.EARLIER)
    summary = summary_of(said, len(older), model, ask) if ask else Summary()
    summary = _shortened(summary, rest, tokens)
    shown = {turn.number for turn in recalled} | summary.covered
    others = [turn for turn in reversed(older) if turn.number not in shown]
    rest -= tokens.text(summary.text) if summary.text else 0
    chosen = _Chosen(summary, recalled, _fitting(others, rest, lambda turn: tokens.text(turn.line)), recent)
    while tokens.count(chosen.prompt(role, asked)) > tokens.most and chosen.drop():
        pass
    return Shown(chosen.prompt(role, asked), (chosen.told(len(said)),))


@dataclass
class _Chosen:
    """What is shown of a conversation that does not fit."""

    summary: Summary
    recalled: list[_Said]
    lines: list[_Said]
    recent: list[_Said]

    def drop(self) -> bool:
        """Leave out what matters least; false when nothing is left."""
        if self.lines:
            self.lines.pop()
        elif self.summary.text:
            self.summary = Summary()
        elif self.recalled:
            self.recalled.pop()
        elif self.recent:
            self.recent.pop(0)
        else:
            return False
        return True

    def prompt(self, role: SystemMessage, asked: HumanMessage) -> list[BaseMessage]:
        older = [*((turn.number, turn.whole) for turn in self.recalled), *((turn.number, turn.line) for turn in self.lines)]
        told = "\n".join([*filter(None, [self.summary.text]), *(text for _, text in sorted(older))])
        first = SystemMessage(f"{_text(role)}\n\n{prompts.EARLIER}\n{told}") if told else role
        return [first, *(message for turn in self.recent for message in turn.messages), asked]

    def told(self, turns: int) -> str:
        """In words."""
        summarised = len(self.summary.covered - {turn.number for turn in (*self.recalled, *self.recent)})
        shown = len(self.recent) + len(self.recalled) + len(self.lines) + summarised
        return prompts.HISTORY_LEFT_OUT.format(
            turns=turns, recent=len(self.recent), recalled=len(self.recalled), lines=len(self.lines), out=turns - shown,
            summary=prompts.HISTORY_SUMMARISED.format(turns=summarised) if summarised else "",
        )  # fmt: skip


def relevance(said: Sequence[tuple[HumanMessage, AIMessage]], topic: str) -> list[float]:
    """How much each turn is about a topic, by its words (BM25); 0 where it holds none of them."""
    return _scores([_Said(n, _text(asked), _text(reply)) for n, (asked, reply) in enumerate(said, start=1)], topic)


def shorten(model: BaseChatModel, prompt: Callable[[str], list[BaseMessage]], text: str) -> Shown:
    """A prompt around a text, whose end is left out where it does not fit the model's window."""
    words = text.split()
    shown = as_many(model, lambda count: prompt(text if count == len(words) else " ".join(words[:count])), len(words))
    if shown == len(words):
        return Shown(prompt(text))
    return Shown(prompt(" ".join(words[:shown])), (prompts.TEXT_LEFT_OUT.format(shown=shown, words=len(words)),))


class _Tokens(Window):
    """Lengths of messages beside the role."""

    def __init__(self, model: BaseChatModel, role: SystemMessage) -> None:
        super().__init__(model)
        self._role = role
        self._base = self.count([role])

    @property
    def room(self) -> int:
        return self.most - self._base

    def of(self, *messages: BaseMessage) -> int:
        """What some messages add to a prompt."""
        return self.count([self._role, *messages]) - self._base

    def text(self, text: str) -> int:
        """What a text adds to the role."""
        return self.of(HumanMessage(text))


def _latest(said: Sequence[_Said], room: int, tokens: _Tokens) -> list[_Said]:
    found: list[_Said] = []
    for turn in reversed(said):
        room -= tokens.of(*turn.messages)
        if room < 0:
            break
        found.insert(0, turn)
    return found


def _fitting(turns: Sequence[_Said], room: int, length: Callable[[_Said], int]) -> list[_Said]:
    """As many turns as fit, in the order given."""
    found = []
    for turn in turns:
        room -= length(turn)
        if room < 0:
            break
        found.append(turn)
    return found


def _shortened(summary: Summary, room: int, tokens: _Tokens) -> Summary:
    """A summary's first sentences, as many as fit; models write more words than they are asked for."""
    text = ""
    for sentence in sentence_texts(summary.text):
        if tokens.text(f"{text} {sentence}") > room:
            break
        text = f"{text} {sentence}".strip()
    return Summary(text, summary.covered) if text else Summary()


def _worth(older: Sequence[_Said], question: str) -> list[_Said]:
    """Older turns that are worth showing whole, the best first: what was to be remembered, then what the question is about."""
    pinned = [turn for turn in older if _is_pinned(turn.question)]
    scores = _scores(older, question)
    best = sorted(range(len(older)), key=lambda place: -scores[place])
    about = [older[place] for place in best if scores[place] > 0.5 * scores[best[0]]] if best and scores[best[0]] > 0 else []
    return list({turn.number: turn for turn in about[:1] + pinned + about[1:]}.values())


def _scores(turns: Sequence[_Said], question: str) -> list[float]:
    """BM25 with the constants of `rag_agent.index.lexical`; each turn's terms are counted once, not at every question."""
    language = _language(tuple(turn.answer for turn in turns[-8:]))
    wanted = set(_analyser(language).query_terms(question))
    counted = [_terms(language, turn.question, turn.answer) for turn in turns]
    held = [[term for term in wanted if term in counts] for counts, _ in counted]
    spread = Counter(term for terms in held for term in terms)
    idf = {term: math.log1p((len(turns) - count + 0.5) / (count + 0.5)) for term, count in spread.items()}
    mean = sum(length for _, length in counted) / max(1, len(counted)) or 1.0
    return [
        sum(idf[term] * counts[term] / (counts[term] + 0.9 * (0.6 + 0.4 * length / mean)) for term in terms)
        for terms, (counts, length) in zip(held, counted, strict=True)
    ]


@lru_cache(maxsize=8192)
def _is_pinned(question: str) -> bool:
    return _PINNED.search(question) is not None


@lru_cache(maxsize=8)
def _analyser(language: str) -> Analyser:
    return Analyser(language)


@lru_cache(maxsize=64)
def _language(texts: tuple[str, ...]) -> str:
    return Analyser.detect(texts).language


@lru_cache(maxsize=8192)
def _terms(language: str, question: str, answer: str) -> tuple[dict[str, int], int]:
    terms = _analyser(language).terms(f"{question}\n{answer}")
    return Counter(terms), len(terms)


def _short(text: str) -> str:
    """The first sentence, or what stands for it."""
    return re.split(r"(?<=[.!?])\s", " ".join(text.split()), maxsplit=1)[0]


def _text(message: Any) -> str:
    return message.content if isinstance(message.content, str) else str(message.text)
