"""The strict check: what stands on a quote word for word, and what never does."""

import re
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag_agent.grounding import standing

# True sentences of five kinds of documents, several languages; the bar parts a clause that may be left out.
TRUE = {
    "news": [
        "The minister resigned on 12 May 2021 after the court had ruled against the plan.",
        "Most members of the union voted for the strike in Rotterdam.",
        "Nearly 300 ships were sunk off Norway between 1940 and 1943.",
        "The council said that the bridge would be closed until June 2024.",
        "Brazil beat Italy by four goals to one in the final of 1970.",
        "More than 50 people were hurt when the roof of the hall fell in.",
        "The company has been run by Maria Costa since 2015.",
        "Der Minister trat am 12. Mai 2021 nach einem Streit mit Anna Lund zurück.",
        "De meeste leden stemden in 2019 voor het plan van Jansen.",
        "Le ministre a démissionné le 12 mai 2021 à Paris.",
        "El ministro dimitió el 12 de mayo de 2021 en Madrid.",
    ],
    "contract": [
        "The tenant must pay the rent before the fifth day of each month.",
        "Dogs are allowed only on a lead.",
        "If the buyer is late, the seller may cancel the order within 14 days.",
        "Visits are possible by appointment only.",
        "Firms with more than 50 employees must report to the agency every year.",
        "All claims under 500 euros are settled by the branch in Leeds.",
        "The deposit of €900 is returned unless the flat was damaged.",
        "Neither party may transfer the contract without the consent of the other.",
        "Der Mieter muss die Miete vor dem 5. Tag jedes Monats zahlen.",
        "De huurder mag het huis niet zonder toestemming verbouwen.",
        "Le locataire doit payer 900 euros avant le 5 mai.",
        "El inquilino debe pagar 900 euros antes del 5 de mayo.",
    ],
    "manual": [
        "Pumps of the FP series must not be run dry.",
        "Press the red button for 3 seconds before you open the lid.",
        "The filter can be washed at up to 60 °C but not in a machine.",
        "The server listens on port 5432 by default.",
        "Use at least 5 ml and at most 15 ml of oil per day.",
        "The pump weighs 12.5 kg without the motor.",
        "Set the valve to either the left or the right position.",
        "Die Pumpe darf nie länger als 30 Minuten laufen.",
        "Gebruik de pomp nooit langer dan 30 minuten.",
        "N'utilisez jamais la pompe plus de 30 minutes.",
        "No use nunca la bomba más de 30 minutos.",
    ],
    "table and questions": [
        "Model: FP-200; weight: 12.5 kg; price: $480; stock: 7",
        "The ticket costs ¥5 for adults and ¥3 for children under 12.",
        "The office is open in March or April from Monday to Friday.",
        "Delivery takes 3 to 5 days within Spain and 9 days elsewhere.",
        "Yes, you can return the shoes within 30 days of the purchase.",
        "The second floor has 14 rooms and the third has 9.",
        "Ein Ticket kostet 5 Euro für Erwachsene und 3 Euro für Kinder.",
        "Een kaartje kost 5 euro voor volwassenen en 3 euro voor kinderen.",
        "Le billet coûte 5 euros pour les adultes.",
        "La entrada cuesta 5 euros para adultos.",
    ],
    "biography": [
        "Anna was born in Warsaw and died in Paris.",
        "He believed that the Earth is flat.",
        "Mary Shelley wrote her first novel before she was twenty.",
        "Johannes Vermeer was the second child of Digna Baltens.",
        "The young Clara Haber would have studied in Breslau.",
        "Her brother Otto was never told about the letter of 1912.",
        "She married Carl Bosch against the will of her father.",
        "Anna wurde 1901 in Warschau geboren und starb 1977 in Paris.",
        "Anna werd in 1901 in Warschau geboren en stierf in Parijs.",
        "Anna est née à Varsovie en 1901 et elle est morte à Paris.",
        "Anna nació en Varsovia en 1901 y murió en París.",
    ],
}
PAIRS = [
    "since until", "for against", "all most", "must may", "before after", "over under", "more less", "and or",
    "is was", "with without", "at on", "nearly over", "only also", "not now", "can cannot", "first second",
    "every some", "within after", "if when", "unless if", "would should", "by to", "in near", "from to",
    "never ever", "the a", "each any", "either neither", "least most", "said denied", "has had", "are were",
    "would did", "has lacks", "he she", "her his", "that whether", "of from", "believed knew", "unless because",
    "born killed", "open closed", "left right", "für gegen", "vor nach", "nie oft", "muss darf", "und oder",
    "voor tegen", "nooit vaak", "mag moet", "en of", "avant après", "jamais toujours", "et ou", "antes después",
    "nunca siempre", "y o", "pour contre", "para contra", "zonder met", "niet wel", "mit ohne", "kg g",
    "ml l", "days weeks", "euros dollars", "euro dollar", "minuten uur", "minutes heures", "minutos horas", "seconds minutes",
    "day week",
]  # fmt: skip
SWAPS = {one: other for pair in PAIRS for one, other in (pair.split(), pair.split()[::-1])}
NAMES = ["Otto Lang", "Lima", "Greta", "Volvo"]
ADDED = ["not", "never", "perhaps", "only", "allegedly", "almost", "niet", "nicht", "pas", "no", "inte"]
# A sentence and its negation; the last nine languages have no file.
NEGATED = [
    ("The minister resigned in 1990.", "The minister never resigned in 1990."),
    ("The hall was heated in 1990.", "The hall was unheated in 1990."),
    ("De minister trad in 1990 af.", "De minister trad in 1990 niet af."),
    ("Er wurde 1990 ein Minister ernannt.", "Er wurde 1990 kein Minister ernannt."),
    ("Le ministre a démissionné en 1990.", "Le ministre n'a pas démissionné en 1990."),
    ("El ministro dimitió en 1990.", "El ministro no dimitió en 1990."),
    ("Ministern avgick 1990.", "Ministern avgick inte 1990."),
    ("Ministeren trakk seg i 1990.", "Ministeren trakk seg ikke i 1990."),
    ("Ministeri erosi vuonna 1990.", "Ministeri ei eronnut vuonna 1990."),
    ("Minister zrezygnował w 1990 roku.", "Minister nie zrezygnował w 1990 roku."),
    ("Министр ушёл в отставку в 1990 году.", "Министр не ушёл в отставку в 1990 году."),
    ("Ministrul a demisionat în 1990.", "Ministrul nu a demisionat în 1990."),
    ("Bakan 1990'da istifa etti.", "Bakan 1990'da istifa etmedi."),
    ("Il ministro si è dimesso nel 1990.", "Il ministro non si è dimesso nel 1990."),
    ("O ministro demitiu-se em 1990.", "O ministro não se demitiu em 1990."),
    ("A miniszter 1990-ben lemondott.", "A miniszter 1990-ben nem mondott le."),
    ("Ministr v roce 1990 odstoupil.", "Ministr v roce 1990 neodstoupil."),
    ("Ο υπουργός παραιτήθηκε το 1990.", "Ο υπουργός δεν παραιτήθηκε το 1990."),
    ("大臣は1990年に辞任した。", "大臣は1990年に辞任しなかった。"),
    ("部长于1990年辞职。", "部长未于1990年辞职。"),
    ("استقال الوزير عام 1990.", "لم يستقل الوزير عام 1990."),
]


def changed(sentence: str) -> Iterator[str]:
    """Every sentence that differs in one word, number or name, or whose two names have changed places."""
    words = re.findall(r"[^\W\d_]+(?:['-][^\W_]+)*|\d+(?:[.,]\d+)*", sentence)
    for match in re.finditer(r"[^\W\d_]+(?:['-][^\W_]+)*|\d+(?:[.,]\d+)*", sentence):
        before, word, after = sentence[: match.start()], match.group(), sentence[match.end() :]
        if word[0].isdigit():
            numbers = [str(int(word) + 1), str(int(word) * 10)] if word.isdigit() else [word[:-1], word.replace(".", "")]
            yield from (before + number + after for number in numbers)
        elif word.lower() in SWAPS:
            other = SWAPS[word.lower()]
            yield before + (other.capitalize() if word[0].isupper() else other) + after
        if word[0].isupper() and before:
            yield from (before + name + after for name in NAMES)
        if len(words) > 1 and word != "de":  # "12 de mayo" may be said "12 mayo"
            yield " ".join((before + after).split())
        yield from (f"{before}{word} {added}{after}" for added in ADDED[:: max(1, match.start() % 4)])
    names = list(re.finditer(r"(?<=\w )[A-Z]\w+", sentence))
    for first, second in zip(names, names[1:], strict=False):
        between = sentence[first.end() : second.start()]
        yield f"{sentence[: first.start()]}{second.group()}{between}{first.group()}{sentence[second.end() :]}"
    yield sentence.rstrip(".") + "?"


def all_changes() -> list[tuple[str, str]]:
    found = [(sentence, other) for kind in TRUE.values() for sentence in kind for other in changed(sentence)]
    found += [pair for one, other in NEGATED for pair in ((one, other), (other, one))]
    return [(one, other) for one, other in dict.fromkeys(found) if one != other]


def test_no_changed_word_is_taken_for_the_same() -> None:
    changes = all_changes()
    assert len(changes) >= 2000
    wrong = [(one, other) for one, other in changes if standing(other, one) or standing(one, other)]
    assert not wrong, f"{len(wrong)} of {len(changes)}: {wrong[:5]}"


@pytest.mark.parametrize("sentence", [sentence for kind in TRUE.values() for sentence in kind] + [s for p in NEGATED for s in p])
def test_a_whole_sentence_is_a_quote(sentence: str) -> None:
    assert standing(sentence, sentence) == "quote"
    assert standing(sentence, f"Something came first. {sentence.rstrip('.')}. Nobody knew.") == "quote"
    assert standing(sentence, sentence.replace(" ", "\n  ")) == "quote"


# --- what may be left out -------------------------------------------------------------------------------------------

LEFT_OUT = {
    "news": [
        ("The bridge[, which is 220 metres long,] was opened in May 1894 by the mayor[, Anna Lund].", "en"),
        ("The minister[, who was born in Leeds,] resigned on 12 May 2021.", "en"),
        ("The strike began on Monday[; the union has 3,000 members].", "en"),
        ("[The strike began on Monday; ]the trains ran late.", "en"),
        ("The mayor[, Carla Ruiz,] opened the museum in 1998.", "en"),
        ("The court ruled against the plan[, and the company left the town].", "en"),
        ("[However, ]the road was closed in June.", "en"),
        ("De brug[, die 220 meter lang is,] werd in mei 1894 geopend.", "nl"),
        ("De burgemeester[, Anna Lund,] opende het museum in 1998.", "nl"),
        ("Der Bürgermeister[, Anna Lund,] eröffnete das Museum im Jahr 1998.", "de"),
        ("Die Brücke wurde im Mai eröffnet[; das Museum kostete 5 Millionen Euro].", "de"),
        ("Le pont[, qui mesure 220 mètres,] a été ouvert en mai 1894.", "fr"),
        ("El puente[, que mide 220 metros,] fue inaugurado en mayo de 1894.", "es"),
    ],
    "contract": [
        ("The deposit[, which is 900 euros,] is returned within 14 days.", "en"),
        ("The tenant[, Ms Lund,] pays the rent on the first day of the month.", "en"),
        ("The rent is paid in advance[; the deposit is kept by the agency].", "en"),
        ("The seller delivers the goods to Leeds[, and the buyer pays the freight].", "en"),
        ("De borg[, die 900 euro bedraagt,] wordt na 14 dagen teruggegeven.", "nl"),
        ("Le locataire[, qui habite à Lyon,] paie le loyer le 5 mai.", "fr"),
        ("El inquilino[, que vive en Lugo,] paga la renta el 5 de mayo.", "es"),
        ("Die Miete wird im Voraus gezahlt[; die Kaution beträgt 900 Euro].", "de"),
    ],
    "manual": [
        ("The filter[, which sits behind the lid,] is washed with water.", "en"),
        ("Pumps of the FP series must not be run dry[; the motor weighs 12 kg].", "en"),
        ("The valve[, whose handle is red,] is opened by hand.", "en"),
        ("[The lid is blue; ]the valve is opened by hand.", "en"),
        ("Het filter[, dat achter het deksel zit,] wordt met water gewassen.", "nl"),
        ("Le filtre[, qui se trouve derrière le couvercle,] se lave à l'eau.", "fr"),
        ("El filtro[, que se encuentra detrás de la tapa,] se lava con agua.", "es"),
    ],
    "table and questions": [
        ("The office[, which has two doors,] is open in March or April.", "en"),
        ("The reserve [is open from April to October; it ]is closed on Mondays.", "en"),
        ("The pool [opens in May; it ]closes in September.", "en"),
        ("Tickets cost 5 euros[; the shop sells them].", "en"),
        ("Das Bad [öffnet im Mai; es ]schließt im September.", "de"),
        ("Het zwembad [opent in mei; het ]sluit in september.", "nl"),
    ],
    "biography": [
        ("Clara Haber[, the daughter of a chemist,] studied in Breslau.", "en"),
        ("Anna Lund[, who had two brothers,] was born in Oslo in 1901.", "en"),
        ("Otto Lang moved in with his aunt in Rome[, who had met Clara Haber].", "en"),
        ("She married Carl Bosch in 1919[; the couple lived in Kassel].", "en"),
        ("Clara Haber[, de dochter van een chemicus,] studeerde in Breslau.", "nl"),
        ("Clara Haber[, die Tochter eines Chemikers,] studierte in Breslau.", "de"),
        ("Clara Haber[, la fille d'un chimiste,] étudia la chimie à Breslau.", "fr"),
        ("Clara Haber[, la hija de un químico,] estudió química en Breslau.", "es"),
    ],
}


def test_a_clause_may_be_left_out() -> None:
    rows = [text for kind in LEFT_OUT.values() for text, _ in kind]
    lost = []
    for text in rows:
        said = re.sub(r"\[[^\]]*\]", "", text)
        if standing(said[0].upper() + said[1:], re.sub(r"[\[\]]", "", text)) is None:
            lost.append(text)
    assert len(lost) <= 0.05 * len(rows), lost


@pytest.mark.parametrize(
    "text",
    [
        # a condition, a place, a time, a manner that the rest needs
        "[If he is charged, ]the minister resigns.",
        "[On Sundays, ]the museum is closed.",
        "[For members, ]entry is free.",
        "[Taken daily, ]the drug is safe.",
        "[Under Dutch law, ]this is a crime.",
        "Dogs[, on a lead,] are allowed in the park.",
        "Dogs[, leashed,] are allowed in the park.",
        "Entry is free for everybody[, with a card].",
        "Entry is free[; except on Sundays].",
        "Entry is free[; on Sundays it costs 5 euros].",
        "Entry is free[, but dogs pay 5 euros].",
        "The museum is open daily[; it may be closed in winter].",
        "Dogs are allowed in the park[ only on a lead].",
        "Dogs[ (on a lead)] are allowed in the park.",
        "Firms[ with more than 50 employees] must report.",
        "The men[ who were ill] stayed at home.",
        "He was born in Paris[, Texas,] in 1950.",
        # one of several
        "The office is open in March[ or April].",
        "Anna[, Berta,] or Carla won the prize in Rome.",
        "Either Anna[, the mayor,] or Carla opened the bridge.",
        "Applicants with a degree[ and two years of experience] are invited.",
        "The sum of the rent[ and the heating] is 900 euros.",
        # somebody's words or beliefs
        "[The bishop said that ]the Earth is flat.",
        "[The minister said: the bank failed; ]nobody resigned.",
        "The Earth[, the bishop believed,] is flat.",
        "The Earth is flat[, which is not true].",
        "The Earth is flat[, according to the bishop].",
        "The Earth is flat[; the bishop doubts it].",
        "[He denied it; ]the bank failed.",
        "[“The Earth is round. ]The sun is small.[”, he wrote.]",
        # a negation, a doubt, a quantity in what goes
        "The minister[, who never paid,] resigned in 1990.",
        "The bridge[, perhaps the oldest in Norway,] was opened in 1894.",
        "The minister resigned[; this was later denied].",
        # the pronoun may be somebody else
        "Anna [met Berta in Rome; she ]died in 1990.",
        "Otto [slept; she ]left at once.",
        "The king [slept; they ]left in May.",
        "Die Königin [schlief; er ]ging im Mai.",
        "La reine [dormait; il ]partit en mai.",
        # a comment on the whole, or words that nobody can tell from a name's addition
        "The bank failed[, which turned out to be a tale].",
        "Dogs are allowed[, where signs permit].",
        "The Earth[, the bishop boasted,] is flat.",
        "The ferry[, weather permitting,] sails daily.",
        "The pill is safe[, and deadly in large doses].",
        "Members[, who must be over 18,] may vote.",
        "Bring your passport[; no photocopies].",
        "The gate opens[, if you ring the bell].",
        "The shop gives refunds[, unlike the one in Leeds].",
        "[Unlike the shop in Leeds, ]the shop gives refunds.",
        "[Three of the mayors believe: ]the plan is good.",
        "Der Zug fährt täglich[, außer im Mai].",
        "De winkel is open[; behalve op zondag].",
        "Le musée est ouvert[, sauf le lundi].",
        "El museo está abierto[, salvo los lunes].",
        "The mayor [was at the bridge; it ]was closed.",
        # commas that mark clauses which restrict, and languages that nobody has described
        "Große Hunde[, die an der Leine sind,] sind im Park erlaubt.",
        "Собаки[, которые на поводке,] допускаются в парк.",
        "Вход свободный[; кроме воскресенья].",
    ],
)
def test_what_restricts_is_not_left_out(text: str) -> None:
    said = re.sub(r"\[[^\]]*\]", "", text)
    assert standing(said[0].upper() + said[1:], re.sub(r"[\[\]]", "", text)) is None


@pytest.mark.parametrize(
    ("quote", "sentence"),
    [
        ("Brazil beat Italy in the final of 1970.", "Italy beat Brazil in the final of 1970."),
        ("Italy was beaten by Brazil.", "Italy has beaten Brazil."),
        ("Anna was born in Warsaw and died in Paris.", "Anna was born in Paris."),
        ("The captain told us the news.", "The captain told US the news."),
        ("He moved to Turkey in 1990.", "He moved to turkey in 1990."),
        ("Is the gate open on Sundays?", "The gate is open on Sundays."),
        ("The gate is open on Sundays?", "The gate is open on Sundays."),
        ("The area is 10³ square miles.", "The area is 103 square miles."),
        ("Version 3.10 was released in May.", "Version 3.1 was released in May."),
        ("He was the 20th to arrive.", "He was the 20 to arrive."),
        ("It holds 3,5 litres of water.", "It holds 35 litres of water."),
        ("Het weegt 1.600 kilo en is erg zwaar.", "Het weegt 1,600 kilo en is erg zwaar."),
        ("The file has 5 MB of text.", "The file has 5 Mb of text."),
        ("It costs between 5 and 7 euros.", "It costs 5 euros."),
        ("It rose from -5 to 10 degrees.", "It rose from 5 to 10 degrees."),
        ("The meeting is on 3 May 2021.", "The meeting is on 5 March 2021."),
        ("He came on 20 July 1969.", "He came on 20 July."),
        ("The non-profit sector grew.", "The profit sector grew."),
        ("The museum was found in 1990 to be empty.", "The museum was founded in 1990."),
        ("The “cure” worked.", "The cure worked."),
        ("The men who were ill stayed.", "The men, who were ill, stayed."),
        ("Nobody came.", ""),
        ("", "Nobody came."),
        ("Nobody came.", "…"),
    ],
)
def test_what_says_something_else_has_no_standing(quote: str, sentence: str) -> None:
    assert standing(sentence, quote) is None


@pytest.mark.parametrize(
    ("quote", "sentence"),
    [
        ("They landed on the Moon on July 20, 1969.", "They landed on the Moon on 20 July 1969."),
        ("On July 20, 1969, they landed on the Moon.", "On 20 July 1969 they landed on the Moon."),
        ("They landed on the Moon on 1969-07-20.", "They landed on the Moon on the 20th of July 1969."),
        ("Sie landeten am 20. Juli 1969 auf dem Mond.", "Sie landeten am 20.07.1969 auf dem Mond."),
        ("Llegaron a la Luna el 20 de julio de 1969.", "Llegaron a la Luna el 20 julio 1969."),
        ("The hall has room for 1,600 people.", "The hall has room for 1600 people."),
        ("Die Halle hat Platz für 1.600 Leute.", "Die Halle hat Platz für 1600 Leute."),
        ("The road is 5 km long and very old.", "The road is five kilometres long and very old."),
        ("About 5 million people watched the landing.", "About 5,000,000 people watched the landing."),
        ("The disk holds 5 GB of data.", "The disk holds 5 gigabytes of data."),
        ("The class has twenty-one pupils from Spain.", "The class has 21 pupils from Spain."),
    ],
)
def test_equal_forms_are_the_same(quote: str, sentence: str) -> None:
    assert standing(sentence, quote) == standing(quote, sentence) == "restated"


def test_typography_makes_no_difference() -> None:
    assert standing('He said: "It\'s a well-known fact."', "He said: “It’s a well-\nknown   fact.”") == "quote"
    assert standing("The council met to discuss it.", "The council met to dis-\ncuss it.") == "quote"
    assert standing("it is closed on Mondays", "The shop is small; it is closed on Mondays.") == "quote"


@given(
    st.lists(st.sampled_from("Anna not saw the mayor is and or Rome only if 5 never all inte ei не".split()), min_size=3),
    st.data(),
)
def test_a_piece_of_a_clause_never_stands(parts: list[str], data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(parts) - 1))
    end = data.draw(st.integers(start + 1, len(parts)))
    if end - start < len(parts):
        assert standing(" ".join(parts[start:end]) + ".", " ".join(parts) + ".") is None
