"""Quotes and refusal, on texts and vectors that can be checked by hand."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import pytest

from rag_agent.grounding.asking import asking_words, asks_for, gives
from rag_agent.grounding.evidence import missing_words, weigh
from rag_agent.grounding.quotes import best_quotes, chances, count_words
from rag_agent.grounding.relevance import Matches, Passage, headline, match
from rag_agent.index.tokens import Analyser

MOON = (
    "Apollo 11\n\nThe Eagle landed in the Sea of Tranquility on 20 July 1969. "
    "Neil Armstrong was the first man on the Moon. "
    "He said that it was one small step. Michael Collins stayed in orbit around the Moon."
)
BREAD = "Bread is baked from flour and water. Bakers let the dough rise for two hours before baking."
WORDS = Analyser("english")


class Letters:
    """Embeds a text as its share of each letter: alike texts get alike vectors, and a reader can count."""

    def __init__(self) -> None:
        self.calls = 0

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        self.calls += 1
        return [self.embed_query(text) for text in texts]

    def embed_query(self, text: str) -> list[float]:
        return [float(text.lower().count(letter)) for letter in "abcdefghijklmnopqrstuvwxyz"] + [1.0]


class Flat(Letters):
    """Finds every text equally like the question."""

    def embed_query(self, text: str) -> list[float]:
        return [1.0, 0.0]


def whole(text: str, similarity: float | None = 0.5, source: str = "") -> Passage:
    return Passage(source or text[:20], text, 0, len(text), similarity)


def measured(
    question: str,
    passages: Sequence[Passage],
    idf: Callable[[str], float] = lambda term: 1.0,
    embeddings: Letters | None = None,
) -> Matches:
    return match(question, passages, words=WORDS, idf=idf, embeddings=embeddings or Flat())


def quoted(matches: Matches, **options: int | float) -> list[str]:
    return [matches.passages[q.passage].text[q.start : q.end] for q in best_quotes(matches, **options)]  # type: ignore[arg-type]


class TestAsking:
    @pytest.mark.parametrize(
        ("question", "kind"),
        [
            ("How many men landed?", "number"),
            ("When did Eagle land?", "date"),
            ("In what year did it end?", "date"),
            ("Who stayed in orbit?", "person"),
            ("Where did they land?", "place"),
            ("Why is the sky blue?", "reason"),
            ("What is a lander?", ""),
            ("Wanneer landde de Eagle?", "date"),
            ("¿Cuántos hombres?", "number"),
            ("谁在月球上?", "person"),
            ("", ""),
        ],
    )
    def test_names_what_is_asked_for(self, question: str, kind: str) -> None:
        assert asks_for(question) == kind

    def test_the_question_s_own_numbers_and_names_answer_nothing(self) -> None:
        assert not gives("number", "Apollo 11 was a flight.", "How many men flew on Apollo 11?")
        assert gives("number", "Apollo 11 had 3 men.", "How many men flew on Apollo 11?")
        assert not gives("person", "The orbit of Apollo was low.", "Who flew on Apollo?")
        assert gives("person", "The pilot was Collins.", "Who flew on Apollo?")
        assert gives("date", "It ended in 1969.", "When did it end?")
        assert gives("person", "他是宇航员", "谁?"), "a script without capitals may hold a name anywhere"

    def test_the_words_of_asking_need_no_answer(self) -> None:
        assert asking_words("How long did the trip take?").lower() == "how long"
        matches = measured("How long did the trip take?", [whole("The trip took eight days.")])
        assert "long" not in matches.weights


class TestMatching:
    def test_cut_sentences_are_completed_from_the_article(self) -> None:
        start = MOON.index("Armstrong")
        found = measured("Who?", [Passage("m", MOON, start, start + 30, 0.5)]).sentences
        assert [s.text for s in found] == ["Neil Armstrong was the first man on the Moon."]
        assert found[0].before.startswith("The Eagle") and found[0].after.startswith("He said")
        assert MOON[found[0].start : found[0].end] == found[0].text

    def test_a_sentence_in_two_overlapping_chunks_appears_once(self) -> None:
        middle = MOON.index("first man")
        chunks = [Passage("m", MOON, 0, middle + 5, 0.4), Passage("m", MOON, middle, len(MOON), 0.6)]
        found = measured("Who?", chunks).sentences
        assert len({(s.start, s.end) for s in found}) == len(found) == 4
        assert next(s for s in found if "first man" in s.text).passages == (0, 1)

    def test_headlines_are_context_and_never_sentences(self) -> None:
        assert headline(MOON) == "Apollo 11"
        assert headline("Russian Blue. The coat is known as a double coat.") == "Russian Blue."
        assert headline("He slept. Then he rose and went out.") == ""
        assert headline("Alone") == "" and headline("") == ""
        matches = measured("Apollo", [whole(MOON)])
        assert all(s.head == "Apollo 11" and s.text != "Apollo 11" for s in matches.sentences)
        assert matches.own.tolist() == [1.0] * 4, "a sentence is read under its headline"
        assert matches.head_share.tolist() == [1.0]

    def test_rare_terms_weigh_more(self) -> None:
        matches = measured("baked bread flour", [whole(BREAD)], lambda term: 3.0 if term == "flour" else 1.0)
        first, second = matches.own
        assert (first, second) == (1.0, pytest.approx(1 / 5)), "the second sentence holds 'bake' alone: 1 of 1 + 1 + 3"

    def test_embeds_once_and_a_passage_only_if_its_similarity_is_unknown(self) -> None:
        letters = Letters()
        known = measured("bread", [whole(BREAD, 0.25)], embeddings=letters)
        assert letters.calls == 1 and known.passage_similarity.tolist() == [0.25]
        unknown = measured(BREAD, [whole(BREAD, None)], embeddings=letters)
        assert letters.calls == 2 and unknown.passage_similarity[0] == pytest.approx(1.0)

    def test_a_book_is_read_only_around_the_chunk(self) -> None:
        book = "Nothing at all happened here. " * 20_000 + "The treasure lies under the oak. " + "Nothing more is told. " * 20_000
        start = book.index("treasure")
        found = measured("treasure", [Passage("b", book, start, start + 10, 0.5)]).sentences
        assert [s.text for s in found] == ["The treasure lies under the oak."]

    def test_refuses_spans_outside_the_text(self) -> None:
        with pytest.raises(ValueError, match="lies outside"):
            measured("x", [Passage("m", "short", 0, 6, 0.5)])

    def test_nothing_found_is_no_error(self) -> None:
        matches = measured("Who?", [])
        assert best_quotes(matches) == [] and len(chances(matches)) == 0
        assert measured("", [whole(MOON)]).own.tolist() == [0.0] * 4


class TestQuotes:
    def test_quotes_are_verbatim_whole_and_apart(self) -> None:
        matches = measured("Who stayed in orbit around the Moon?", [whole(MOON), whole(BREAD)], embeddings=Letters())
        chosen = best_quotes(matches, price=0.0, max_words=200)
        spans = [(q.passage, q.start, q.end) for q in chosen]
        assert len(set(spans)) == len(spans) and all(0 <= start < end for _, start, end in spans)
        assert all(matches.passages[p].text[s:e].endswith(".") for p, s, e in spans)

    def test_a_clear_case_is_answered_by_one_sentence(self) -> None:
        texts = quoted(measured("Who stayed in orbit around the Moon?", [whole(MOON, 0.9), whole(BREAD, 0.1)]), price=0.03)
        assert texts == ["Michael Collins stayed in orbit around the Moon."]

    def test_chances_sum_to_one_and_follow_the_terms(self) -> None:
        matches = measured("Who stayed in orbit around the Moon?", [whole(MOON)])
        chance = chances(matches)
        assert chance.sum() == pytest.approx(1.0)
        assert matches.sentences[int(chance.argmax())].text.startswith("Michael Collins")

    def test_the_word_budget_binds_all_but_the_first_sentence(self) -> None:
        matches = measured("Who stayed in orbit around the Moon?", [whole(MOON)])
        assert quoted(matches, max_words=3, price=0.0) == ["Michael Collins stayed in orbit around the Moon."]
        for budget in (8, 16, 20, 60):
            assert count_words(" ".join(quoted(matches, max_words=budget, price=0.0))) <= max(8, budget)

    def test_a_pronoun_brings_the_sentence_before_it_where_there_is_room(self) -> None:
        matches = measured("What small step was said?", [whole(MOON)])
        assert quoted(matches, max_quotes=1, max_words=30) == [
            "Neil Armstrong was the first man on the Moon.",
            "He said that it was one small step.",
        ]
        assert quoted(matches, max_quotes=1, max_words=10) == ["He said that it was one small step."]

    def test_reading_order_is_that_of_the_text_with_the_best_passage_first(self) -> None:
        matches = measured("dough rise hours flour", [whole(MOON, 0.5), whole(BREAD, 0.5)])
        chosen = best_quotes(matches, price=0.0, max_words=500, max_quotes=6)
        assert chosen[0].passage == 1
        assert [q.start for q in chosen if q.passage == 0] == sorted(q.start for q in chosen if q.passage == 0)

    @pytest.mark.parametrize("options", [{"max_words": 0}, {"max_quotes": 0}])
    def test_refuses_empty_budgets(self, options: dict[str, int]) -> None:
        with pytest.raises(ValueError, match="at least 1"):
            best_quotes(measured("x", [whole(MOON)]), **options)  # type: ignore[arg-type]

    @pytest.mark.parametrize(
        "text",
        [
            "他是第一个登上月球的人。他在月球上走了两个小时。",
            "هبطت المركبة على القمر. عاد الرواد إلى الأرض بسلام.",
            "Hij landde op de maan. Daarna vloog hij terug.",
        ],
    )
    def test_other_languages_are_quoted_too(self, text: str) -> None:
        matches = measured(text[:8], [whole(text)])
        assert quoted(matches) and all(quote in text for quote in quoted(matches))

    def test_counts_words_of_scripts_without_spaces(self) -> None:
        assert count_words("one two three") == 3
        assert count_words("月球上的人") == 3, "five characters, two to a word"
        assert count_words("") == 0


class TestEvidence:
    def test_answers_what_the_passages_speak_of_and_refuses_the_rest(self) -> None:
        near = measured("Who stayed in orbit around the Moon?", [whole(MOON, 0.7)])
        assert weigh(near, WORDS).enough
        far = match(
            "Who baked cheese in Amsterdam?",
            [whole(MOON, 0.1)],
            words=WORDS,
            idf=lambda term: 1.0,
            embeddings=Opposed(),
        )
        decision = weigh(far, WORDS)
        assert not decision.enough and decision.probability < 0.05
        assert decision.missing == ("baked", "cheese", "Amsterdam")

    def test_the_probability_is_that_of_the_formula(self) -> None:
        matches = measured("flour water", [whole(BREAD, 0.2)])
        # closest: 0.2 + 0.5 * 1; best: similarity 1 of Flat + 0.5 * 1
        assert tuple(weigh(matches, WORDS).signs) == pytest.approx((0.7, 1.5))
        assert weigh(matches, WORDS).probability == pytest.approx(1 / (1 + math.exp(-(6 * 2.2 - 8.4))))

    def test_terms_of_the_headline_do_not_answer(self) -> None:
        text = "Romanesque art\n\nThe churches of that time have thick walls and round arches."
        matches = measured("romanesque art", [whole(text, 0.5)])
        assert weigh(matches, WORDS).signs.closest == pytest.approx(0.5)

    def test_no_passage_is_a_refusal(self) -> None:
        decision = weigh(measured("Who?", []), WORDS)
        assert (decision.enough, decision.probability) == (False, 0.0)

    def test_repeating_the_answer_elsewhere_does_not_make_it_refuse(self) -> None:
        question = "Who stayed in orbit around the Moon?"
        one = weigh(measured(question, [whole(MOON, 0.7)]), WORDS)
        four = weigh(measured(question, [whole(MOON, 0.7, str(i)) for i in range(4)]), WORDS)
        assert four.probability == pytest.approx(one.probability)

    def test_a_higher_threshold_refuses_more(self) -> None:
        matches = measured("flour water", [whole(BREAD, 0.2)])
        assert weigh(matches, WORDS).enough and not weigh(matches, WORDS, threshold=0.9999).enough

    def test_missing_words_stand_as_written(self) -> None:
        assert missing_words(measured("Who baked the “Quiche”?", [whole(BREAD)]), WORDS) == ("Quiche",)


class Opposed(Letters):
    """Finds nothing like the question."""

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        return [[0.0, 1.0] for _ in texts]

    def embed_query(self, text: str) -> list[float]:
        return [1.0, 0.0]
