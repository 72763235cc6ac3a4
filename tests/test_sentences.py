"""The sentence splitter: hand-checkable texts in, sentences out."""

import random
import time

import pytest

from rag_agent.language import sentence_texts, sentences


@pytest.mark.parametrize(
    "expected",
    [
        ["Mr. Smith met Dr. J. F. Kennedy in the U.S. on Jan. 5.", "He paid No. 5 about 3.14 dollars."],
        ["The U.S. Army came.", "It left the U.S.", "The end was near."],
        ["He uses tools, e.g. Python.", "Then he stops, i.e. rests."],
        ["Robert E. Lee surrendered.", "He ate vitamin C.", "The rest did not."],
        ["Then... what?", "Nothing!"],
        ["It is kept from now on.", "In Rome it went on.", "How does it go on?"],
        ['"Go!" he said.', '"I came.', 'I saw."', "Then (he left.)", "It ended."],
        ["Apple Inc. CEO Tim Cook spoke at 5 p.m. in Paris.", "It rained."],
        ["It was shown.[12]", "Others disagreed.[3][4]", "All left."],
        ["See example.com or version 1.2.3 of it.", "Next."],
        ["我来了。", "你好吗？", "「行きます。」と言った。", "次の文です！"],
        ["هل أنت بخير؟", "نعم."],
        ["वह घर गया।", "वह सोया।"],
        ["¿Qué?", "¡Hola!", "Él vino."],
        ["Am 3. Oktober 1990 endete der 2. Weltkrieg nicht.", "Danach kam Prof. Müller."],
        ["De heer bijv. Jansen kwam.", "Mevr. De Vries niet."],
        ["He said `` go home . ''", "Then he left .", "She is 5 .", "The end ."],
        ["that ' s true .", "divorce laws vary .", "ok ?"],
    ],
)
def test_splits(expected: list[str]) -> None:
    assert sentence_texts(" ".join(expected) if expected[0][0] < "\u3000" else "".join(expected)) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Introduction\nThis is a long line of text that is wrapped at a width of\nabout sixty.", 2),
        ("- item one\n- item two\n* item three", 3),
        ("1. First thing\n2. Second thing", 2),
        ("Chocolate cake recipe\nVanilla cream recipe\nStrawberry pie recipe", 3),
        ("a paragraph\n\nanother paragraph", 2),
        ("A headline\r\n\r\nA sentence. Another one.", 3),
    ],
)
def test_line_breaks_that_are_borders(text: str, expected: int) -> None:
    assert len(sentences(text)) == expected


def test_wrapped_newspaper_lines_are_one_sentence() -> None:
    text = (
        "The council met on Monday to dis-\ncuss the new bridge over the riv-\ner, said the old city's own Mayor\n"
        "John Brown, who is in favour of it.\nIt cost a lot."
    )
    assert len(sentences(text)) == 2


def test_bullets_are_dropped_and_numbers_kept() -> None:
    assert sentence_texts("- milk\n• eggs\n1. First go left") == ["milk", "eggs", "1. First go left"]


def test_long_sentences_are_cut_at_clause_borders() -> None:
    text = "one two three four five six, " * 60
    pieces = sentence_texts(text)
    assert all(len(piece) <= 600 for piece in pieces) and all(piece.endswith(",") for piece in pieces)
    assert len(sentence_texts("x" * 1300)) == 3


def test_a_maximum_below_20_is_refused() -> None:
    with pytest.raises(ValueError, match="at least 20"):
        sentences("text", max_length=5)


def test_nothing_but_spaces_and_bullets_is_lost() -> None:
    generator = random.Random(0)
    alphabet = "abcDE 12.,!?;:\"'()[]“”\n\n\t。「」？。é़ا।–%&" + "-*•#"
    for _ in range(3000):
        text = "".join(generator.choice(alphabet) for _ in range(generator.randrange(1, 80)))
        spans = sentences(text, max_length=30)
        assert all(a < b for a, b in spans)
        assert all(left[1] <= right[0] for left, right in zip(spans, spans[1:], strict=False))
        assert all(text[a:b] == text[a:b].strip() and b - a <= 30 for a, b in spans)
        covered = {at for a, b in spans for at in range(a, b)}
        lost = {text[at] for at in range(len(text)) if at not in covered and not text[at].isspace()}
        assert lost <= set("-*•–#")


@pytest.mark.parametrize(
    "piece",
    ["a. ", "Hello there. ", ".", "\n", '"', "a", "(( . ", "ab\n", '. " ', "am 3. Oktober ", "`` ''", "? 。", "1. "],
)
def test_linear_time(piece: str) -> None:
    def seconds(size: int) -> float:
        text = piece * (size // len(piece))
        begin = time.process_time()
        sentences(text)
        return time.process_time() - begin

    assert min(seconds(300_000) for _ in range(3)) < 5 * max(min(seconds(100_000) for _ in range(3)), 0.05)
