"""The words that conversation is made of, the same fields for every language. All lower case, split at apostrophes and hyphens."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Talk:
    """The words of one language that point back, ask, and speak about the conversation itself.

    Each field is written as one text and is a set of its words; `openers` is a tuple of phrases, separated by "|".
    """

    code: str
    the: frozenset[str]
    """Definite articles and demonstratives that stand before a noun."""
    a: frozenset[str]
    preposition: frozenset[str]
    of: frozenset[str]
    """Those prepositions that tie a noun to the one before it."""
    where_to: frozenset[str]
    """Prepositions of place and direction: a name behind one is no person."""
    be: frozenset[str]
    do: frozenset[str]
    """Auxiliaries that stand before their subject in a question, and send the verb behind it."""
    link: frozenset[str]
    """What a clause begins with."""
    who: frozenset[str]
    which: frozenset[str]
    """Question words for things and people, which stand for a noun."""
    how: frozenset[str]
    """Question words that stand for no noun."""
    thing: frozenset[str]
    """Pronouns for things; those for several of them are in `several`, too."""
    several: frozenset[str]
    person: frozenset[str]
    her: frozenset[str]
    """Those pronouns that stand before a noun and say whose it is."""
    there: frozenset[str]
    clitic: frozenset[str]
    """Articles that are pronouns, too, where no noun follows."""
    this: frozenset[str]
    """Demonstratives that stand alone."""
    one: frozenset[str]
    """What stands for a noun that was named before ("ones")."""
    other: frozenset[str]
    """Words that compare with what was named before."""
    we: frozenset[str]
    """Those words for the speakers that do not mean the one who answers alone."""
    you: frozenset[str]
    """The two who speak."""
    function: frozenset[str]
    """Further words that carry no content."""
    opener: tuple[tuple[str, ...], ...]
    """First words of a turn that may be only a part of a question ("and", "what about")."""
    meant: frozenset[str]
    """Words of a correction."""
    back: frozenset[str]
    """Words that name a subject before the question about it ("back to X: ...")."""
    nth: tuple[str, ...]
    """First, second, ..."""
    first: frozenset[str]
    last: frozenset[str]
    yes: frozenset[str]
    """Thanks, greetings, praise and consent."""
    sure: frozenset[str]
    """Words of doubt about an answer."""
    source: frozenset[str]
    """What an answer comes from."""
    says: frozenset[str]
    know: frozenset[str]
    """What the one who answers did to find it out."""
    why: frozenset[str]
    change: frozenset[str]
    """Verbs for work on an answer, and what they make of it."""
    sum_up: frozenset[str]
    """Those that tell a whole conversation in short."""
    shape: frozenset[str]
    """What an answer can become."""
    answer: frozenset[str]
    """What answers and questions are called."""
    conversation: frozenset[str]
    turn: frozenset[str]
    ask: frozenset[str]
    """Verbs of speaking with each other."""
    earlier: frozenset[str]
    about: frozenset[str]
    document: frozenset[str]
    """Texts that somebody else may have asked or said something in."""
    please: frozenset[str]
    numbers: tuple[str, ...]
    """From one on."""
    languages: frozenset[str]

    @classmethod
    def of_texts(cls, code: str, **texts: str) -> "Talk":
        """Split the texts of the fields."""
        values: dict[str, object] = {name: frozenset(text.split()) for name, text in texts.items()}
        values |= {name: tuple(texts[name].split()) for name in ("nth", "numbers")}
        values["opener"] = tuple(tuple(phrase.split()) for phrase in texts["opener"].split("|"))
        return cls(code, **values)  # type: ignore[arg-type]


def _talk(code: str, text: str) -> Talk:
    lines = [line.partition(":") for line in text.strip().splitlines()]
    return Talk.of_texts(code, **{name.strip(): words for name, _, words in lines})


ENGLISH = _talk("en", """
the: the this that these those
a: a an some any
preposition: of in on at to for from with between about among against behind by than versus vs like during without within into onto over under near around across through via per after before since until as
of: of
where_to: in at to from near within into around across
be: is are was were be been being am isn aren wasn weren
do: do does did can could will would shall should may might must has have had don doesn didn won ve ll
link: and or but nor so if because when while although though whether
who: who whom whose
which: what which
how: why how when where
thing: it its they them their theirs
several: they them their theirs
person: he him his she her hers
her: its their his her
there: there
clitic:
this: this that these those
one: one ones
other: other another else same different similar more further nearby
we: i we us our ours
you: i me my mine you your yours we us our ours
function: a an not no yes too very just only even still again ever never now then here itself themselves himself herself some any all both each every either neither such own many much most less least few well lot lots bit kind kinds sort sorts type types up out off down away back instead together always often usually today really exactly actually maybe perhaps s t re d m got get tell show give mean means happen happens happened called known used use uses make makes made take takes took need needs want help helps go goes going come comes came become became work works describe explain compare
opener: and what about|and how about|and then|what about|how about|and|or|but
meant: no nope not sorry actually wait meant mean rather oops i
back: back regarding concerning about as for returning to on the subject of
nth: first second third fourth fifth sixth seventh eighth ninth tenth
yes: thanks thank thx cheers hi hello hey morning afternoon evening night day bye goodbye see later soon ok okay great cool nice perfect awesome wonderful excellent good fine interesting got understood right helpful helps helped help well done job bot work answer reply response very lovely brilliant amazing useful clear makes sense wow lol haha welcome yes yeah yep no nope sure please sorry problem mind agreed indeed exactly alright super love appreciate appreciated
sure: sure certain really true correct right serious positive reliable certainly seriously honestly wrong incorrect false
source: document documents file source sources page pages reference references citation citations proof evidence passage passages quote quotes
says: say says written
why: why
change: shorten translate summarize summarise summary simplify rephrase reword paraphrase rewrite condense compress expand elaborate repeat shorter simpler longer briefer briefly tldr tl dr eli5 simply sum
shape: list bullet bullets points point table poem tweet mail haiku json markdown headline title sentence sentences words word lines line paragraph paragraphs characters steps simple short brief concise plain clear formal informal technical detailed easy easier polite numbered terms language style tone version form way layman five old child kid beginner
answer: answer answers reply response text explanation question questions message messages thing things
ask: ask asked say said tell told mention mentioned answered reply replied talk talked talking discuss discussed speak spoke spoken cover covered remember recall remind
earlier: earlier before previously already so far just while ago moment
about: about on regarding concerning
document: report reports document documents file files paper letter email book article text notes diary journal chapter page minutes meeting speech interview transcript contract manual statement memo section sources call
please: please make put turn convert write explain give say into using with without most maximum fewer than under bit little kindly could keep great thanks
numbers: one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen twenty
languages: dutch english spanish french german italian portuguese chinese japanese korean arabic russian turkish polish swedish greek hindi ukrainian latin
first: first originally initially start beginning begin
last: last latest previous just
know: know find found read get got sure
sum_up: summarize summarise summary sum recap overview
conversation: conversation chat discussion thread
turn: turn message
""")
DUTCH = _talk("nl", """
the: de het die dat deze dit
a: een
preposition: van in op aan te voor uit door met zonder over naar tussen bij tijdens na sinds tot dan als binnen volgens tegen onder boven
of: van
where_to: in naar te uit bij binnen
be: is zijn was waren wordt worden werd werden ben bent
do: kan kunnen kon konden zal zullen zou zouden moet moeten mag mogen heeft hebben had hadden doet doen deed deden
link: en of maar want omdat terwijl toen als dat
who: wie wiens
which: wat welke welk
how: waarom hoe wanneer waar hoezo hoeveel
thing: het ze zij hun hen ervan eraan erover ermee daarvan daarover daarmee ervoor erin daarin erop
several: ze zij hun hen
person: hij hem zijn zij haar ze
her: hun zijn haar
there: daar
clitic: het zijn
this: dit dat deze die
one: eentje
other: andere ander anders nog meer zelfde verder
we: ik wij we ons onze
you: ik mij me mijn wij we ons onze je jij jouw jullie u uw
function: een niet geen ja nee ook nu al hier men veel zo wel toch dus even heel zich elkaar alle alles iets er om toen wil
opener: en hoe zit het met|hoe zit het met|en wat dacht je van|wat dacht je van|en|of|maar
meant: nee niet sorry bedoel bedoelde ik eigenlijk maar wacht
back: terug naar over wat betreft
nth: eerste tweede derde vierde vijfde zesde zevende achtste negende tiende
yes: bedankt dank dankjewel dankuwel wel hallo hoi goedemorgen goedemiddag goedenavond dag ziens prima mooi goed fijn oké ok super top geweldig duidelijk interessant antwoord ja nee graag gedaan helpt helder leuk perfect klopt zeker sorry hoor begrepen
sure: zeker echt waar klopt juist serieus fout onjuist
source: document documenten bestand bestanden bron bronnen pagina bewijs citaat passage
says: zegt zeg staat geschreven
why: waarom hoezo
change: vertaal verkort vereenvoudig herhaal herschrijf samenvatten samenvatting samen vat korter eenvoudiger langer simpeler kort
shape: lijst lijstje tabel samenvatting zin zinnen woord woorden regel regels punten simpel simpele eenvoudig eenvoudige korte woorden taal
answer: antwoord antwoorden vraag vragen tekst uitleg bericht
ask: vroeg gevraagd zei gezegd vertelde verteld antwoordde beantwoord bespraken besproken spraken gesproken hadden noemde weet herinner
earlier: eerder daarvoor zojuist daarnet net
about: over
document: rapport document bestand brief boek artikel tekst notulen vergadering contract handleiding hoofdstuk pagina
please: alsjeblieft alstublieft maak zeg schrijf leg geef zet graag uit kun kunt
numbers: een twee drie vier vijf zes zeven acht negen tien elf twaalf dertien veertien vijftien zestien zeventien achttien negentien twintig
languages: nederlands engels spaans frans duits italiaans portugees chinees japans arabisch russisch turks pools
first: eerst eerste begin
last: laatste laatst vorige net
know: weet vind gevonden gelezen vandaan
sum_up: samen vat samenvatten samenvatting
conversation: gesprek gesprekken
turn: beurt bericht
""")
GERMAN = _talk("de", """
the: der die das den dem des dieser diese dieses diesen diesem
a: ein eine einen einem einer eines
preposition: von vom in im an am zu zum zur für aus durch mit ohne über nach zwischen bei beim während seit bis als auf unter gegen um innerhalb
of: von vom der des
where_to: in im nach aus zu bei
be: ist sind war waren sein wird werden wurde wurden bin bist
do: kann können konnte soll sollte muss musste darf hat haben hatte hatten
link: und oder aber weil wenn während obwohl dass
who: wer wen wem wessen
which: was welche welcher welches welchen welchem
how: warum wieso weshalb wie wann wo wohin woher wieviel
thing: es sie ihnen ihr ihre ihren ihrer ihrem davon daran darüber damit dafür darin dazu
several: ihnen
person: er ihn ihm sie ihr ihre ihren ihrer ihrem sein seine seinen seiner seinem
her: ihr ihre ihren ihrer ihrem sein seine seinen seiner seinem
there: dort
clitic: sein
this: dies dieses das diese
one: eines
other: andere anderen anderer anderes mehr weitere weiteren gleiche
we: ich wir uns unser
you: ich mich mir mein meine wir uns unser du dich dir dein deine ihr euch
function: ein eine einen einem einer eines nicht kein keine ja nein auch noch schon sehr da hier man gibt so nur doch denn mal alle alles etwas sich viel viele es dann
opener: und was ist mit|was ist mit|und wie sieht es mit|wie sieht es mit|und|oder|aber
meant: nein nicht entschuldigung meinte meine meinen ich eigentlich sondern doch
back: zurück zu zum zur über was betrifft bezüglich
nth: erste zweite dritte vierte fünfte sechste siebte achte neunte zehnte
yes: danke dank vielen schön sehr hallo guten morgen tag abend tschüss wiedersehen auf gut super toll prima klasse perfekt okay ok ja nein klar verstanden interessant hilft hilfreich antwort bitte gerne alles stimmt genau sorry
sure: sicher wirklich wahr stimmt richtig ernst korrekt falsch
source: dokument dokumente dokumenten datei dateien quelle quellen seite beleg beweis zitat stelle
says: sagt geschrieben steht
why: warum wieso weshalb
change: übersetze übersetz übersetzen kürze kürzen vereinfache wiederhole zusammenfassen zusammenfassung zusammen fasse fass kürzer einfacher länger kurz
shape: liste tabelle zusammenfassung satz sätze sätzen wort wörter wörtern worten zeilen punkte einfach einfachen einfache kurze kurzen stichpunkte sprache
answer: antwort antworten frage fragen text erklärung nachricht
ask: fragte gefragt sagte gesagt erzählte erzählt antwortete geantwortet besprochen gesprochen redeten geredet erwähnt erinnere habe hast haben
earlier: vorher früher eben gerade vorhin bisher
about: über zu
document: bericht dokument datei brief buch artikel text protokoll sitzung vertrag handbuch kapitel
please: bitte mach mache sag schreib schreibe gib ins erkläre erklär kannst können höchstens
numbers: eins zwei drei vier fünf sechs sieben acht neun zehn elf zwölf dreizehn vierzehn fünfzehn sechzehn siebzehn achtzehn neunzehn zwanzig
languages: niederländisch niederländische englisch englische spanisch spanische französisch französische deutsch deutsche italienisch portugiesisch chinesisch japanisch arabisch russisch türkisch polnisch
first: zuerst erste ersten anfangs anfang
last: letzte letzten zuletzt vorige gerade eben
know: weißt wissen finde gefunden gelesen
sum_up: zusammen fasse fass zusammenfassen zusammenfassung
conversation: gespräch unterhaltung chat
turn: nachricht
""")
FRENCH = _talk("fr", """
the: le la les l ce cet cette ces
a: un une
preposition: de d du des en à au aux par pour avec sans sur sous entre dans depuis jusque chez vers pendant après avant
of: de d du des
where_to: en à au aux dans chez vers
be: est es êtes sont était étaient fut furent être suis
do: a ont avait avaient peut peuvent doit doivent va
link: et ou mais donc car parce si quand
who: qui
which: quoi quel quelle quels quelles que qu lequel laquelle
how: pourquoi comment quand où combien
thing: il elle ils elles cela ça ceci leur leurs son sa ses celui celle
several: ils elles leur leurs
person: il elle lui son sa ses
her: son sa ses leur leurs
there: là
clitic: le la les l leur
this: ça cela ceci celui celle
one: un une
other: autre autres même mêmes plus
we: je nous j notre nos
you: je j me m moi mon ma mes tu te t toi ton ta tes nous notre nos vous votre vos
function: un une ne n pas non oui aussi très c s se on y ci été là bas tout tous toute toutes
opener: et qu en est il de|qu en est il de|et qu en est il du|qu en est il du|et|ou|mais
meant: non pas pardon voulais dire je plutôt désolé parle parlais
back: revenons retour à au sur pour concernant quant
nth: premier deuxième troisième quatrième cinquième sixième septième huitième neuvième dixième
yes: merci beaucoup bonjour bonsoir salut revoir bien super parfait génial excellent très bon bonne d accord ok oui non réponse compris intéressant clair utile aide formidable exact journée soirée
sure: sûr sûre certain certaine vraiment vrai vraie correct exact sérieux faux
source: document documents fichier fichiers source sources page preuve citation passage
says: dit écrit
why: pourquoi
change: traduis traduisez traduire résume résumez résumer résumé raccourcis raccourcissez simplifie simplifiez répète répétez reformule reformulez court simple bref
shape: liste tableau résumé phrase phrases mot mots ligne lignes points simples simplement court courte
answer: réponse réponses question questions texte explication message
ask: demandé demande dit dis parlé répondu raconté mentionné discuté rappelle souviens ai as avons avez
earlier: avant auparavant précédemment tantôt tout heure
about: sur de
document: rapport document fichier lettre livre article texte réunion contrat manuel chapitre
please: plaît fais faites mets donne écris peux pouvez moi explique
numbers: un deux trois quatre cinq six sept huit neuf dix onze douze treize quatorze quinze seize dix-sept dix-huit dix-neuf vingt
languages: néerlandais anglais espagnol français allemand italien portugais chinois japonais arabe russe turc polonais
first: premier première abord début
last: dernier dernière
know: sais savez trouvé lu vient
sum_up: résume résumez résumer résumé
conversation: conversation discussion échange
turn: message
""")
SPANISH = _talk("es", """
the: el la los las este esta estos estas ese esa esos esas
a: un una unos unas
preposition: de del en a al por para con sin sobre entre desde hasta durante según contra tras
of: de del
where_to: en a al desde
be: es son estás era eran fue fueron ser está están
do: ha han había habían puede pueden debe deben hay
link: y e o u pero porque si cuando aunque
who: quién quiénes quien
which: qué que cuál cuáles
how: cuándo dónde cómo cuánto cuánta cuántos cuántas
thing: eso esto ello ellos ellas su sus
several: ellos ellas
person: él ella su sus le
her: su sus
there: allí ahí
clitic: lo la los las
this: eso esto
one: uno
other: otro otra otros otras más mismo misma
we: yo nosotros nos nuestra nuestro pregunté dije hablamos mencioné hemos
you: yo me mi mis tú te tu tus nosotros nos nuestra nuestro usted pregunté preguntaste dije dijiste respondiste contestaste hablamos mencioné hemos has
function: un una unos unas no sí también muy lo le les se ya todo todos toda todas
opener: y qué hay de|qué hay de|y qué pasa con|qué pasa con|y|o|pero
meant: no perdón quería quise decir refería refiero me a sino lo siento
back: volviendo volvamos vuelta a al sobre en cuanto
nth: primer segundo tercer cuarto quinto sexto séptimo octavo noveno décimo
yes: gracias muchas hola buenos buenas días tardes noches adiós vale bien genial perfecto excelente claro interesante sí no respuesta muy buena bueno entendido útil ayuda estupendo acuerdo
sure: seguro segura cierto verdad correcto serio falso
source: documento documentos archivo archivos fuente fuentes página prueba cita pasaje
says: dice escrito pone
why: por
change: traduce tradúcelo traducir resume resúmelo resumir resumen acorta acórtalo simplifica simplifícalo repite repítelo corto breve simple
shape: lista tabla resumen frase frases palabra palabras línea líneas puntos sencillo sencilla simples corta
answer: respuesta respuestas pregunta preguntas texto explicación mensaje
ask: pregunté preguntado preguntaste dije dicho dijiste hablamos hablado respondiste contestaste contado mencioné recuerda recuerdas he has hemos
earlier: antes anteriormente
about: sobre de
document: informe documento archivo carta libro artículo texto reunión contrato manual capítulo
please: favor haz hazlo pon da dame escribe puedes explica explícalo
numbers: uno dos tres cuatro cinco seis siete ocho nueve diez once doce trece catorce quince dieciséis diecisiete dieciocho diecinueve veinte
languages: neerlandés holandés inglés español francés alemán italiano portugués chino japonés árabe ruso turco polaco
first: primero primer primera principio inicio
last: último última
know: sabes sabe encontrado leído
sum_up: resume resumir resumen
conversation: conversación charla
turn: mensaje
""")
TALKS = (ENGLISH, DUTCH, GERMAN, FRENCH, SPANISH)
