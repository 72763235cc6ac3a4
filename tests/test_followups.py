"""Behaviour of the follow-up reader through its public functions; no model."""

import pytest

from rag_agent.memory.followups import Turn, is_chat, is_transformation, understand, word_limit

MOON = (Turn("Who landed on the Moon?", "Neil Armstrong and Buzz Aldrin landed on the Moon on 20 July 1969. [1]"),)
ORBIT = (*MOON, Turn("And who stayed in orbit?", "Michael Collins stayed in orbit aboard the command module Columbia."))
MOONS = (Turn("Which moons did Galileo discover?", "Galileo discovered Io, Europa, Ganymede and Callisto."),)


@pytest.mark.parametrize(
    ("history", "question", "query"),
    [
        (ORBIT, "When was he born?", "When was Michael Collins born?"),
        (MOON, "What did they bring back?", "What did Neil Armstrong and Buzz Aldrin bring back?"),
        ((Turn("What is throat cancer?"),), "Is it treatable?", "Is throat cancer treatable?"),
        ((Turn("What is throat cancer?"),), "What are the symptoms?", "What are the symptoms of throat cancer?"),
        (
            (Turn("What are the symptoms of throat cancer?"),),
            "What about lung cancer?",
            "What are the symptoms of lung cancer?",
        ),
        ((Turn("Tell me about France."),), "What is its capital?", "What is France's capital?"),
        (
            (Turn("Where is Chattanooga?", "In Tennessee."),),
            "What is the population there?",
            "What is the population in Chattanooga?",
        ),
        (
            (Turn("Who built the Golden Gate Bridge?", "Joseph Strauss built it."),),
            "What did it cost?",
            "What did the Golden Gate Bridge cost?",
        ),
        (
            (Turn("Which company built the lunar module?", "Grumman built it."),),
            "When was it founded?",
            "When was Grumman founded?",
        ),
        ((Turn("When was Armstrong born?", "In 1930."),), "not Armstrong, Aldrin", "When was Aldrin born?"),
        ((Turn("When was Armstrong born?", "In 1930."),), "No, I meant Collins", "When was Collins born?"),
        ((Turn("When was Armstrong born?", "In 1930."),), "And Aldrin?", "When was Aldrin born?"),
        (MOONS, "Tell me about the second one", "Tell me about Europa"),
        (MOONS, "How big is the last one?", "How big is Callisto?"),
        ((Turn("List them", "1. Red car\n2. Blue car"),), "How fast is the first one?", "How fast is Red car?"),
        (
            (Turn("What is the word for moon in French?", "lune"),),
            "and in Dutch?",
            "What is the word for moon in Dutch?",
        ),
        ((Turn("Wie is Max Verstappen?"),), "Hoe oud is hij?", "Hoe oud is Max Verstappen?"),
        (
            (Turn("Wer war Johann Sebastian Bach?"),),
            "Wann wurde er geboren?",
            "Wann wurde Johann Sebastian Bach geboren?",
        ),
        ((Turn("Qui était Marie Curie ?"),), "Quand est-elle née ?", "Quand est-elle (Marie Curie) née ?"),
        ((Turn("¿Quién fue Simón Bolívar?"),), "¿Cuándo murió?", "¿Cuándo murió? (Simón Bolívar)"),
    ],
)
def test_follow_up_is_said_in_full(history: tuple[Turn, ...], question: str, query: str) -> None:
    found = understand(question, history)
    assert (found.kind, found.query) == ("followup", query)
    assert found.carried
    assert found.queries[0] == (query, 1.0)


@pytest.mark.parametrize("question", ["why?", "Tell me more", "And who stayed in orbit?", "Is that true?"])
def test_ellipsis_carries_the_question_before(question: str) -> None:
    found = understand(question, MOON)
    assert found.kind == "followup"
    assert "Moon" in found.query


def test_other_scripts_lean_on_the_question_before() -> None:
    history = (Turn("埃菲尔铁塔在哪里？"),)
    assert "埃菲尔铁塔" in understand("它有多高？", history).query
    assert understand("巴黎有多大？", history).kind == "standalone"
    assert understand("متى ولد؟", (Turn("من هو نجيب محفوظ؟"),)).query == "متى ولد؟"


@pytest.mark.parametrize(
    "question",
    [
        "What is the capital of France?",
        "Who painted the Mona Lisa?",
        "What is photosynthesis and how does it work?",
        "Is it true that the Moon is made of cheese?",
        "Who invented the telephone?",
        "How many people live in Paris?",
        "What are the symptoms of influenza?",
        "How are anxiety and depression related?",
        "",
        "???",
    ],
)
def test_stand_alone_question_is_left_untouched(question: str) -> None:
    found = understand(question, ORBIT)
    assert (found.kind, found.query, found.carried, found.queries) == ("standalone", question, (), ((question, 1.0),))


def test_without_history_everything_stands_alone() -> None:
    for question in ("When was he born?", "why?", "shorten it", "the second one"):
        assert understand(question).kind == "standalone"


def test_transformation_needs_no_search_and_leaves_the_subject() -> None:
    found = understand("Shorten the answer to 20 words", ORBIT)
    assert (found.kind, found.max_words, found.queries) == ("transform", 20, ())
    after = (
        *ORBIT,
        Turn("Translate the answer to Dutch", "Michael Collins bleef in een baan."),
        Turn("thanks!", "You are welcome."),
    )
    assert understand("When was he born?", after).query == "When was Michael Collins born?"
    assert understand("and in Dutch?", ORBIT).kind == "transform"


@pytest.mark.parametrize(
    "question",
    """Translate the answer to Dutch|shorten it|say that in simpler words|make a list of it|in 20 words please|tradúcelo|
    vertaal het naar het Nederlands|Translate to French|Can you shorten that?|Please summarise your last answer.|Now in Spanish please|
    explain it simply|explain that like I'm five|as a list|bullet points please|vat het samen in 20 woorden|maak het korter|
    Übersetze es ins Englische|Traduis-le en anglais|résume la réponse|Give me a shorter version|TL;DR|Rewrite it in a formal tone|
    翻译成中文|Give it to me in 10 words|Turn it into a list""".replace("\n", "").split("|"),
)
def test_transformations(question: str) -> None:
    assert is_transformation(question.strip())


@pytest.mark.parametrize(
    "question",
    """Who translated the book to Dutch?|Summarize the article about the harbour|list the astronauts|Explain how the cave formed|
    Tell me about it|Tell me more about that|Translate the harbour sign to Dutch|Make a list of the astronauts|Explain it|show it|
    vertaal het boek naar het Nederlands|Übersetze das Buch ins Englische|What is the short version of the theory called?|
    Explain photosynthesis simply|How many words are in the book?|Summary of the annual report|Who wrote it in French?""".replace(
        "\n", ""
    ).split("|"),
)
def test_questions_about_documents_are_no_transformations(question: str) -> None:
    assert not is_transformation(question.strip())


def test_chat() -> None:
    for text in (
        "thanks",
        "Hello!",
        "Thank you very much!",
        "ok great, thanks",
        "bedankt!",
        "gracias",
        "That is fine!",
    ):
        assert is_chat(text)
    for text in (
        "Hello, who landed?",
        "Thanks, and who stayed in orbit?",
        "Good Morning America",
        "ok and the second?",
    ):
        assert not is_chat(text)


def test_word_limit() -> None:
    assert word_limit("in twenty words") == 20
    assert word_limit("Vat samen in 15 woorden") == 15
    assert word_limit("shorten") is None
