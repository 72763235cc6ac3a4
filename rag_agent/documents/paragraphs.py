"""What a run of lines without an empty one is: questions and answers, `key: value` lines, or a paragraph."""

import re
from collections.abc import Sequence

from rag_agent.documents.blocks import Block
from rag_agent.documents.lines import Line, lines_of

# Labels of an FAQ in the languages that are read; a letter alone counts only where its partner follows.
_QUESTION = (
    "Question|Q|Vraag|V|Frage|F|Pregunta|Pergunta|P|Domanda|D|Вопрос|В|Soru|S|Fråga|Spørgsmål|Spørsmål|Pytanie|Kysymys|Otázka|"
    "سؤال|س|问题|问|問|質問|Q&A"
)
_ANSWER = (
    "Answer|Ans|A|Antwoord|Antwort|Respuesta|Resposta|Réponse|Risposta|R|Ответ|О|Cevap|C|Svar|Odpowiedź|Vastaus|Odpověď|"
    "جواب|ج|答案|答|回答"
)
_LABEL = re.compile(
    rf"(?:[*_]{{1,2}})?(?:(?:\d{{1,3}}[.)]\s*)?(?P<ask>{_QUESTION})|(?P<say>{_ANSWER}))\s?\d{{0,3}}"
    r"(?:[*_]{1,2}\s?[:.：]|[:.)：](?:[*_]{1,2})?)\s*(?=\S)",
    re.IGNORECASE,
)
_ASKS = re.compile(r"[?？؟][\s\"'”’)*_]*$")
_PAIR = re.compile(r"(?:[*_]{1,2})?[^\W_][^:：?!;,\r\n]{0,47}?[ \t.]*(?:[:：][*_]{0,2}[ \t]+|：)(?=\S)")
_MOST_WORDS = 6  # of a key; more words before a colon are a sentence
_INNER_END = re.compile(r"[.!?。][\"')]?\s+[A-ZÀ-ÞА-Я]")


def asks(text: str) -> bool:
    """Whether a text ends as a question does."""
    return bool(_ASKS.search(text[-40:]))


def is_label(said: str) -> bool:
    """Whether a line begins with the label of a question, be it numbered like an item."""
    found = _LABEL.match(said)
    return bool(found and found["ask"] and re.search("[:：]", found[0]))


def parts(text: str, start: int, end: int, *, after_question: bool = False) -> list[Block]:
    """The blocks of a run of lines.

    Args:
        text: The whole text.
        start: Where the run begins.
        end: Where it ends.
        after_question: Whether a question stands right before it, so that a bare "A:" is its answer.
    """
    lines = [line for line in lines_of(text, start, end) if line.start < line.end]
    return _questions(text, lines, after_question) or _pairs(text, lines) or [Block("paragraph", start, end)]


def _questions(text: str, lines: Sequence[Line], after_question: bool) -> list[Block]:
    labels = [(number, found) for number, line in enumerate(lines) if (found := _LABEL.match(text, line.start, line.end))]
    if not labels or labels[0][0] > 0:
        return []
    blocks: list[Block] = []
    ends = [lines[number - 1].end for number, _ in labels[1:]] + [lines[-1].end]
    for place, ((_, found), end) in enumerate(zip(labels, ends, strict=True)):
        if found["ask"]:
            answered = place + 1 < len(labels) and labels[place + 1][1]["say"]
            if not (answered or asks(text[found.end() : end]) or (len(found["ask"]) > 1 and len(labels) == 1)):
                return []
            blocks.append(Block("question", found.end(), end))
        elif after_question or (blocks and blocks[-1].kind == "question"):
            blocks.append(Block("answer", found.end(), end))
        else:
            return []
        after_question = blocks[-1].kind == "question"
    return blocks


def _pairs(text: str, lines: Sequence[Line]) -> list[Block]:
    """A block a line, with the further indented lines of its value; empty unless all lines are of this form."""
    blocks: list[Block] = []
    indent = lines[0].indent if lines else 0  # a text of marks and spaces has none
    for line in lines:
        found = _PAIR.match(text, line.start, line.end)
        if found and len(found[0].split()) <= _MOST_WORDS and line.indent <= indent + 1:
            blocks.append(Block("pair", line.start, line.end))
        elif blocks and line.indent > indent + 1:
            blocks[-1] = blocks[-1]._replace(end=line.end)
        else:
            return []
    # Sentences behind a colon are prose ("Note: ... It ..."); their parts can be quoted one by one.
    return [] if any(_INNER_END.search(text, block.start, block.end) for block in blocks) else blocks
