from collections.abc import Sequence

import numpy as np
import pytest

from rag_agent.index.lexical import BM25
from rag_agent.index.tokens import Analyser, fold, phrases

TEXTS = [
    "The cat sat on the mat.",
    "A dog chased the cat across the yard.",
    "Module A-113/b reads foo_bar since v1.10.2 and costs 1,000 euros.",
    "To be or not to be, that is the question.",
    "I quote:\nthe blue whale sings at night.",
    "At night the whale, which is blue, sings.",
]


def texts(rows: Sequence[int]) -> list[str]:
    return [TEXTS[row] for row in rows]


def best(query: str, index: BM25, **options: object) -> int:
    return int(np.argmax(index.scores(query, **options)))  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def index() -> BM25:
    return BM25.build(TEXTS, language="english")


def test_score_is_the_formula() -> None:
    index = BM25.build(["apple pear", "pear pear pear pear"], language="none", k1=1.0, b=0.5)
    idf = np.log1p((2 - 1 + 0.5) / (1 + 0.5))
    assert index.scores("apple") == pytest.approx([idf * 1 / (1 + 0.5 + 0.5 * 2 / 3), 0.0])


@pytest.mark.parametrize("query", ["A-113/b", "a-113/B", "foo_bar", "v1.10.2", "1,000", "1000"])
def test_identifiers_and_numbers_are_found_exactly(index: BM25, query: str) -> None:
    assert best(query, index) == 2


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("inde-\npendence", "independence"),
        ("e-mail", "email"),
        ("U.S.A.", "USA"),
        ("Málaga", "malaga"),
        ("ﬁne", "fine"),
        ("1990s", "1990"),
        ("soft\u00adhyphen", "softhyphen"),
    ],
)
def test_spellings_meet(one: str, other: str) -> None:
    analyser = Analyser("english")
    assert set(analyser.terms(one)) & set(analyser.query_terms(other))


def test_marks_that_tell_letters_apart_stay() -> None:
    assert fold("йод") == "йод"
    assert fold("Ёлка") == "елка"


@pytest.mark.parametrize(
    ("text", "query"),
    [
        ("我在北京大学读书。", "北京"),
        ("水是生命之源", "水"),
        ("ประเทศไทยสวยงาม", "ไทย"),
        ("東京タワーに行く", "タワー"),
        ("한국어를 배운다", "한국어"),
    ],
)
def test_scripts_without_spaces(text: str, query: str) -> None:
    index = BM25.build(["Something else.", text], language="english")
    assert best(query, index) == 1
    assert index.scores(query)[0] == 0


@pytest.mark.parametrize("text", ["हिन्दी भाषा", "مرحبا بالعالم", "שלום עולם", "Привет, мир", "", "\x00 \ud800", "😀", "---"])
def test_any_text_is_taken(text: str) -> None:
    analyser = Analyser("english")
    assert isinstance(analyser.terms(text), list)
    assert isinstance(analyser.query_terms(text), list)


def test_pieces_and_whole_text_give_the_same_terms() -> None:
    analyser, text = Analyser("english"), "In inde-\n pendence, A-113/b (foo_bar) we're at 1,000.5 km; 北京 x"
    assert analyser.terms(text) == [term for word in analyser.words(text) for term in Analyser("english").terms(word)]


def test_stop_words_leave_a_query_unless_alone() -> None:
    analyser = Analyser("english")
    assert analyser.query_terms("Who is the cat?") == ["cat"]
    assert analyser.query_terms("to be or not to be") == ["to", "be", "or", "not"]
    assert "us" in analyser.query_terms("When did the US enter?")
    assert "us" not in analyser.query_terms("what do they tell us about cats")


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("english", "The house of the king is on the hill and it was built by his father."),
        ("dutch", "Het huis van de koning staat op de heuvel en het werd door zijn vader gebouwd."),
        ("german", "Das Haus des Königs steht auf dem Hügel und es wurde von seinem Vater gebaut."),
        ("french", "La maison du roi est sur la colline et elle a été construite par son père."),
        ("spanish", "La casa del rey está en la colina y fue construida por su padre para los hijos."),
        ("italian", "La casa del re è sulla collina ed è stata costruita da suo padre per gli altri."),
        ("portuguese", "A casa do rei fica na colina e foi construída pelo seu pai, mas não é muito grande."),
        ("swedish", "Kungens hus ligger på kullen och det byggdes av hans far, men jag har inte sett det."),
        ("finnish", "Kuninkaan talo on mäellä ja sen rakensi hänen isänsä, mutta se ei ole nyt siinä."),
    ],
)
def test_language_is_detected(language: str, text: str) -> None:
    assert Analyser.detect([text]).language == language


def test_unknown_language_names_the_known() -> None:
    with pytest.raises(ValueError, match="english"):
        Analyser("klingon")


def test_quoted_phrase_is_found_literally_across_line_ends(index: BM25) -> None:
    rows = index.phrase_rows('what of "The  blue whale"?', texts)
    assert {phrase: found.tolist() for phrase, found in rows.items()} == {"The blue whale": [4]}
    assert best('"the blue whale sings"', index, texts=texts) == 4
    assert index.phrase_rows('"to be or not to be"', texts)["to be or not to be"].tolist() == [3]
    assert index.phrase_rows('"no such thing here"', texts)["no such thing here"].tolist() == []


def test_phrases_of_several_quotation_styles() -> None:
    assert phrases("“one two” «three» \"four\" 'not this'") == ["one two", "three", "four"]


def test_copy_through_plain_mapped_files(index: BM25, tmp_path: "pytest.TempPathFactory") -> None:
    for name, values in index.arrays.items():
        np.save(f"{tmp_path}/{name}.npy", values, allow_pickle=False)
    mapped = {name: np.load(f"{tmp_path}/{name}.npy", mmap_mode="r", allow_pickle=False) for name in index.arrays}
    assert BM25(mapped, language=index.language).scores("cat dog whale") == pytest.approx(index.scores("cat dog whale"))


@pytest.mark.parametrize("gone", [[], [0], [1, 4], [0, 1, 2, 3, 4, 5]])
@pytest.mark.parametrize("added", [[], ["A whale and a cat."]])
def test_change_equals_a_fresh_build(index: BM25, gone: list[int], added: list[str]) -> None:
    keep = np.array([row not in gone for row in range(len(TEXTS))])
    changed = index.changed(keep=keep, added=added)
    fresh = BM25.build([text for text, stays in zip(TEXTS, keep, strict=True) if stays] + added, language="english")
    for query in ("cat", "whale sings", "A-113/b", "the"):
        assert changed.scores(query) == pytest.approx(fresh.scores(query))


def test_article_scores_equal_those_of_joined_texts(index: BM25) -> None:
    articles = np.array([0, 0, 1, 1, 2, 2])
    joined = BM25.build([" ".join(TEXTS[i : i + 2]) for i in (0, 2, 4)], language="english")
    assert index.article_scores("cat whale", articles) == pytest.approx(joined.scores("cat whale")[articles])


def test_empty_index() -> None:
    empty = BM25.build([])
    assert len(empty.scores("cat")) == 0
    assert len(empty.article_scores("cat", np.empty(0, np.int64))) == 0


def test_no_score_passes_the_ceiling(index: BM25) -> None:
    assert 0 < index.scores("cat dog").max() < index.ceiling("cat dog")
