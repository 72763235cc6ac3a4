"""Languages: the detector, the files, words and sentences."""

import string
from collections.abc import Sequence
from dataclasses import fields
from pathlib import Path

import pytest

from rag_agent import RagAgent, Settings, prompts
from rag_agent.language import LANGUAGES, Language, detect, detection, language, sentence_texts, words
from rag_agent.sayings import SAYINGS
from rag_agent.testing import CountEmbeddings, ScriptedChat

FILES = [known for code in LANGUAGES if (known := language(code))]
KINDS = tuple(
    """function_words question_words pronouns negations quantifiers modals conditions attributions articles subjects
agreeing joins choices connectives relatives""".split()
)


# --- which language ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("Who built the bridge over the river?", "en"),
        ("Wie heeft de brug over de rivier gebouwd?", "nl"),
        ("Wer hat die Brücke über den Fluss gebaut?", "de"),
        ("Qui a construit le pont sur la rivière, et quand ?", "fr"),
        ("¿Quién construyó el puente sobre el río?", "es"),
        ("Quando è stato aperto il museo della città?", "it"),
        ("Kto zbudował most nad rzeką?", "pl"),
        ("Кто и когда построил этот мост через реку?", "ru"),
        ("Bu köprüyü kim ve ne zaman inşa etti?", "tr"),
        ("この橋は誰がいつ建てましたか？", "ja"),
    ],
)
def test_a_question_shows_its_language(text: str, code: str) -> None:
    assert detect(text) == code


@pytest.mark.parametrize("text", ["", "Neil Armstrong", "Anna Lund", "Paris 1990", "max_wal_size", "1986", "New York", "FP-200"])
def test_a_name_or_a_number_shows_no_language(text: str) -> None:
    assert detect(text) is None


# --- what is known of it -------------------------------------------------------------------------------------------


def test_a_language_without_a_file_is_unknown() -> None:
    assert language("fi") is None and language(None) is None and language("../en") is None


@pytest.mark.parametrize("known", FILES, ids=lambda known: known.code)
class TestEveryFile:
    def test_fills_every_field(self, known: Language) -> None:
        # German puts a comma before every relative clause, so that none is known to be a mere aside.
        empty = {field.name for field in fields(Language) if not getattr(known, field.name)}
        assert empty <= ({"relatives"} if known.code == "de" else set())
        assert all(getattr(known.abbreviations, field.name) for field in fields(known.abbreviations))

    def test_names_all_months_weekdays_and_numbers(self, known: Language) -> None:
        assert set(known.months.values()) == set(range(1, 13))
        assert set(known.weekdays.values()) == set(range(1, 8))
        assert {*range(11), 20, 30, 100, 1000, 1_000_000} <= set(known.numbers.values())

    def test_knows_the_same_units_as_english(self, known: Language) -> None:
        english = language("en")
        assert english and set(known.units.values()) == set(english.units.values())

    def test_spells_words_as_they_are_looked_up(self, known: Language) -> None:
        listed = frozenset[str]().union(*(getattr(known, kind) for kind in KINDS), known.months, known.weekdays, known.units)
        assert all(words(f"{word}x" if word.endswith("'") else word)[0] == word for word in listed)

    def test_has_enough_of_each_kind(self, known: Language) -> None:
        least = {"function_words": 50, "question_words": 8, "pronouns": 25, "negations": 12, "quantifiers": 25, "modals": 25,
                 "conditions": 20, "attributions": 20}  # fmt: skip
        assert all(len(getattr(known, kind)) >= number for kind, number in least.items())


# --- words and sentences -------------------------------------------------------------------------------------------


def test_words_are_folded_and_without_punctuation() -> None:
    assert words("“Don’t stop,” said O'Brien: 3 times!") == ["don't", "stop", "said", "o'brien", "3", "times"]
    assert words("It's Anna's, we'll see") == ["it", "'s", "anna", "'s", "we", "'ll", "see"]
    assert words("L’école d'à côté") == ["l'", "école", "d'", "à", "côté"]
    assert words("我来了") == ["我", "来", "了"]
    assert words("Well\u00ad-\u200bknown") == ["well-known"]


@pytest.mark.parametrize(
    "expected",
    [
        [
            "Level 1: helpdesk (ext. 300) answers from Mon. to Fri. 9-17.",
            "Level 2: the duty engineer (tel. 0800 55 12) is there.",
        ],
        ["The lift carries max. 40 kg of luggage.", "It stops at night."],
        ["Dr. Smith resigned.", "The board met."],
        ["Open Mon. – Fri. from 9 a.m. to 5 p.m. and Sat. 10 a.m.", "The end."],
        ["Min. order is 5 pcs. per customer.", "Add approx. 5 ml."],
        ["See Sec. 4.2 and App. B for more.", "It is in ch. 3."],
        ["Geöffnet Mo. bis Fr. 9-17 Uhr.", "Siehe Kap. 3 und Abb. 4."],
        ["Zie hfst. 4 (blz. 12).", "Het weegt max. 5 kg."],
        ["Voir chap. 3, p. 12.", "M. Dupont est parti."],
        ["Use the option -X.", "pg_dump writes it.", "useState() keeps it."],
        ["It is hot in the cellar.", "12 people were there in 1990."],
    ],
)
def test_sentences_are_whole(expected: list[str]) -> None:
    assert sentence_texts(" ".join(expected)) == expected


def test_the_unpacked_detector_says_what_the_package_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    texts = [
        "Wie heeft de brug gebouwd?",
        "Who built the bridge?",
        "max_wal_size",
        "Neil Armstrong",
        "¿Quién construyó el puente?",
        "",
    ]
    packed = [detection._packed().classify(text) for text in texts]
    detection.keep_detector(tmp_path / "models")
    monkeypatch.setenv("RAG_AGENT_HOME", str(tmp_path))
    detection._identifier.cache_clear()
    try:
        mapped = detection._identifier()
        assert isinstance(mapped.tk_output, memoryview)
        assert [mapped.classify(text) for text in texts] == packed
        del mapped
        (kept,) = (tmp_path / "models").iterdir()
        (kept / "pc.npy").write_bytes(b"damaged")
        detection._identifier.cache_clear()
        assert [detection._identifier().classify(text) for text in texts] == packed
    finally:
        detection._identifier.cache_clear()


# --- the program's own sentences ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("code", SAYINGS)
def test_every_language_says_the_same_with_the_same_fields(code: str) -> None:
    def fields(form: str) -> set[str]:
        return {name for _, name, _, _ in string.Formatter().parse(form) if name}

    assert SAYINGS[code].keys() == SAYINGS["nl"].keys()
    for name, form in SAYINGS[code].items():
        assert fields(form) == fields(getattr(prompts, name)), name
        assert form != getattr(prompts, name)


@pytest.mark.parametrize(
    ("question", "set_to", "said"),
    [
        ("Wat kost een abonnement op de krant per jaar?", "auto", "De documenten beantwoorden deze vraag niet."),
        ("Was kostet ein Abonnement der Zeitung im Jahr?", "auto", "Die Dokumente beantworten diese Frage nicht."),
        ("What is the price of a subscription?", "auto", "The documents do not answer this question."),
        ("Combien coûte un abonnement au journal par an ?", "auto", "The documents do not answer this question."),
        ("What is the price of a subscription?", "nl", "De documenten beantwoorden deze vraag niet."),
        ("Wat kost een abonnement op de krant per jaar?", "en", "The documents do not answer this question."),
    ],
)
def test_a_refusal_is_said_in_the_language_of_the_question_or_the_one_that_is_set(
    docs: Path, words: Sequence[str], question: str, set_to: str, said: str
) -> None:
    settings = Settings.load(home=":memory:", language=set_to)
    with RagAgent(docs, model=ScriptedChat(["?"]), embeddings=CountEmbeddings(words), settings=settings) as agent:
        answer = agent.ask(question)
    assert answer.refused
    assert answer.text.startswith(said)
