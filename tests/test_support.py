"""The built-in judge: what it must pass and what it must never pass."""

import pytest
from rag_agent.grounding.support import SupportCheck, check, without_frame

from rag_agent.language import sentence_texts

MOON = (
    "Apollo 11 was the flight that first landed humans on the Moon. "
    "Neil Armstrong and Buzz Aldrin landed on July 20, 1969. "
    "Armstrong became the first person to step onto the lunar surface. Michael Collins stayed in orbit. "
    "They did not stay for more than 21 hours. About 600 million people watched; 94 percent of them on television."
)
TREES = "The giant sequoia is the third-largest tree in 5 counties. It grows in California."


@pytest.mark.parametrize("sentence", sentence_texts(MOON + " " + TREES))
def test_verbatim_sentences_score_one(sentence: str) -> None:
    verdict = check(sentence, [TREES, MOON])
    assert (verdict.score, verdict.supported) == (1.0, True)
    assert [TREES, MOON][verdict.passage][verdict.start : verdict.end] == sentence


@pytest.mark.parametrize(
    ("claim", "passage"),
    [
        ("Neil Armstrong and Buzz Aldrin landed on 20 July 1969.", MOON),
        ("Neil Armstrong and Buzz Aldrin landed on the 20th of July 1969.", MOON),
        ("According to the passage, Michael Collins stayed in orbit.", MOON),
        ("Some 600,000,000 people watched.", MOON),
        ("94% of them watched on television.", "It was late. 94 percent of them watched on television."),
        ("France was beaten by Italy.", "Italy beat France."),
        ("Calculus was invented by Leibniz.", "Leibniz invented calculus."),
        ("Newton wrote the Principia.", "Newton was an English physicist. He wrote the Principia in 1687."),
        ("It has twenty-one stations.", "It has 21 stations."),
        ("It happened in the 20th century.", "It happened in the twentieth century."),
        ("The company was founded in the US.", "The company was founded in the United States of America."),
        ("The mayor discussed the landmark.", "The mayor dis-\ncussed the land-\nmark."),
        ("the city has 1 , 197 , 816 inhabitants .", "The city has 1,197,816 inhabitants."),
        ("Apollo 11 a atterri sur la Lune en 1969.", "En 1969, Apollo 11 a atterri sur la Lune."),
        ("该公司成立于1997年。", "1997年该公司成立于北京。"),
        ("Hij won niet.", "Hij won de prijs niet."),
    ],
)
def test_the_same_in_other_words_passes(claim: str, passage: str) -> None:
    assert check(claim, [passage]).supported, check(claim, [passage]).reason


@pytest.mark.parametrize(
    ("claim", "passage", "reason"),
    [
        ("Neil Armstrong and Buzz Aldrin landed on July 21, 1969.", MOON, "21"),
        ("Neil Armstrong and Buzz Aldrin landed on July 20, 1968.", MOON, "1968"),
        ("About 700 million people watched.", MOON, "700 million"),
        ("Michael Aldrin stayed in orbit.", MOON, "aldrin"),
        ("Yuri Gagarin stayed in orbit.", MOON, "gagarin"),
        ("They did stay for more than 21 hours.", MOON, "negation"),
        ("Michael Collins never stayed in orbit.", MOON, "negation"),
        ("The giant sequoia is the largest tree.", TREES, "third largest"),
        ("The giant sequoia is the smallest tree.", "The giant sequoia is the largest tree.", "smallest"),
        ("Italy beat France.", "France beat Italy.", "roles"),
        ("It was legal.", "It was illegal.", "illegal"),
        ("It is 5 miles long.", "It is 5 kilometres long.", "5"),
        ("该公司成立于1998年。", "该公司成立于1997年。", "1998"),
        ("该公司不是成立于1997年。", "该公司成立于1997年。", "negation"),
        ("三十人死亡。", "四十人死亡。", "三"),
        ("Hij won de prijs.", "Hij won de prijs niet.", "negation"),
        ("El rey murió en 1821.", "El rey no murió en 1821.", "negation"),
        ("Sales rose before 1990.", "Sales rose after 1990.", "before"),
        ("Penguins eat fish and sing opera songs.", "Penguins eat fish.", "opera"),
    ],
)
def test_what_is_turned_round_never_passes(claim: str, passage: str, reason: str) -> None:
    verdict = check(claim, [passage])
    assert not verdict.supported
    assert reason in verdict.reason


LONG = (
    "The old harbour of the town was widened three times, its walls were raised with granite from the quarries in the north, "
    "and a lighthouse was built on the pier before the first steamships came."
)


@pytest.mark.parametrize("foreign", ["hijacked", "Hijacked", "lawfully", "obediently"])
@pytest.mark.parametrize("place", ["{foreign}. {rest}", "{foreign}: {rest}", "{rest} {foreign}", "so {foreign}, {rest}"])
def test_a_long_true_sentence_carries_no_foreign_word(foreign: str, place: str) -> None:
    verdict = check(place.format(foreign=foreign, rest=LONG[0].lower() + LONG[1:].rstrip(".")), [MOON, LONG])
    assert not verdict.supported and foreign.lower() in verdict.reason


@pytest.mark.parametrize(
    ("claim", "passage"),
    [("I have sent it, but he won the prize.", "He won the prize."), ("该公司成立于1997年并爆炸。", "该公司成立于1997年。")],
)
def test_a_foreign_word_stands_neither_in_an_aside_nor_between_characters(claim: str, passage: str) -> None:
    assert not check(claim, [passage]).supported


def test_words_of_the_question_and_words_that_say_little_may_be_added() -> None:
    text = ["It is the widest channel of the delta and was dredged in 1931."]
    assert check("The Brown Channel is the great widest channel of the delta.", text, question="What is brown?").score < 0.8
    claim = "the lagoon is the great widest channel of the delta and was dredged in 1931."
    assert check(claim, text, question="Is the lagoon wide?").supported
    assert not check(claim, text).supported


@pytest.mark.parametrize(
    ("remark", "supported"),
    [
        ("Stayed.", False),
        ("I stayed.", False),
        ("Orbit.", False),
        ("Armstrong.", True),
        ("1969.", True),
        ("July 20, 1969.", True),
    ],
)
def test_one_word_answers_where_it_is_a_name_or_a_number(remark: str, supported: bool) -> None:
    assert check(remark, [MOON]).supported is supported


def test_a_neighbour_does_not_lend_its_name() -> None:
    text = "Newton was a physicist. Leibniz invented the calculating machine in Hanover."
    assert not check("Newton invented the calculating machine in Hanover.", [text]).supported


def test_span_of_two_neighbours() -> None:
    verdict = check("Newton wrote the Principia.", ["It rained. Newton was a physicist. He wrote the Principia. All slept."])
    assert verdict.supported and verdict.start >= 10 and verdict.end <= 60


def test_nothing_to_check() -> None:
    assert check("It is.", ["It is."]).reason == "the claim says nothing that can be checked"
    assert check("Rain falls.", []).passage == -1
    assert check("Rain falls.", [""]).supported is False


def test_threshold_and_one_reading_for_many_claims() -> None:
    judge = SupportCheck([MOON], threshold=0.95)
    assert judge.check("Michael Collins stayed in orbit.").supported
    assert 0 < judge.check("Collins stayed there in orbit and slept.").score < 0.95


def test_frames() -> None:
    assert without_frame("According to the text, it rains.").strip() == "it rains."
    assert without_frame("Yes.") == "Yes."


@pytest.mark.parametrize("text", ["", "…", "\x00", "a" * 5000, "١٩٩٠ 1٫5 ½ ² Ⅷ", "'" * 50, "- -", "%$€", "no", "ﷺ 漢"])
def test_odd_text_breaks_nothing(text: str) -> None:
    check(text, [text, MOON])
    check("Neil Armstrong landed.", [text])


@pytest.mark.parametrize(
    ("source", "claim"),
    [
        ("The store is open every day except Sunday.", "The store is open on Sunday."),
        ("Refunds are given unless the item is used.", "Refunds are given if the item is used."),
        ("Reports that the mill was sold to the town were false.", "The mill was sold to the town."),
        ("The drug may cure the disease.", "The drug cures the disease."),
        ("They planned to open the bridge in 1931.", "They opened the bridge in 1931."),
    ],
)
def test_a_reservation_of_the_source_is_not_passed_over(source: str, claim: str) -> None:
    support = SupportCheck([source]).check(claim)
    assert not support.supported and support.objected


def test_the_month_of_may_is_no_doubt() -> None:
    assert SupportCheck(["In May the king opened the bridge."]).check("The king opened the bridge in May.").supported
