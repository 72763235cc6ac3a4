"""Word lists of the support check. English is the richest; the other languages have what negation and counting need."""

from collections.abc import Iterable


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


def _table(text: str) -> dict[str, str]:
    """Read lines of `base: form form ...` into form -> base."""
    return {form: base for base, forms in (line.split(":") for line in text.strip().splitlines()) for form in forms.split()}


def _groups(lines: Iterable[str]) -> dict[str, frozenset[int]]:
    found: dict[str, set[int]] = {}
    for number, line in enumerate(lines):
        for word in line.split():
            found.setdefault(word, set()).add(number)
    return {word: frozenset(numbers) for word, numbers in found.items()}


# One list a language, so that counting hits tells the language (for the stemmer).
STOP: dict[str, frozenset[str]] = {
    "english": _words(
        "the a an and or but if then than so of to in on at by for from with about into over after before during "
        "between through against under above below up down out off again once here there when where why how all any "
        "both each few more other some such only own same too very can will just should would could may might must "
        "shall do does did doing done have has had having be is are was were been being am i me my mine we us our ours "
        "you your yours he him his she her hers it its they them their theirs this that these those who whom whose "
        "which what as also because while until however though although yet still even ever since whether upon "
        "within among around along across toward towards per via etc s t re ve ll d m yes no not one really quite "
        "known called named according well much many actually lot lots get got let thing things like himself "
        "herself itself themselves myself "
        "yourself ourselves approximately roughly nearly almost including include includes included due able rather "
        "often usually generally currently today now"
    ),
    "dutch": _words(
        "de het een en of maar dat die dit deze van in op te met voor aan door bij uit naar om over tot als dan is was "
        "zijn waren werd werden wordt worden heeft had hebben hadden kan kon zal zou er hij zij ze wij we ik je jij u "
        "hun haar zijn mijn ook nog al wel zo wat wie waar wanneer hoe omdat terwijl toen na sinds onder tussen"
    ),
    "german": _words(
        "der die das den dem des ein eine einen einem einer eines und oder aber dass von in im am an auf zu zum "
        "zur mit "
        "für bei aus nach um über bis als wie ist war sind waren wurde wurden wird werden hat hatte haben hatten kann "
        "konnte soll sollte es er sie wir ich du ihr ihre sein seine auch noch so was wer wo wann weil während "
        "seit unter "
        "zwischen sich durch vor"
    ),
    "french": _words(
        "le la les un une des du de d l et ou mais que qui dans en au aux à par pour sur avec sans sous est était sont "
        "étaient fut furent été être a avait ont avaient avoir il elle ils elles on nous vous je tu se sa son ses leur "
        "leurs ce cet cette ces aussi comme plus si où quand comment car depuis entre après avant qu s n y"
    ),
    "spanish": _words(
        "el la los las un una unos unas de del y o pero que en a al por para con sin sobre es era son eran fue fueron "
        "sido ser ha había han habían haber está están él ella ellos ellas nosotros yo tú usted se su sus lo le "
        "les este "
        "esta estos estas ese esa también como más si donde cuando porque desde entre hasta después antes muy"
    ),
    "italian": _words(
        "il lo la i gli le un uno una di del della dei delle e o ma che in a al alla da dal dalla per con su sul è era "
        "sono erano fu furono stato essere ha aveva hanno avere lui lei loro noi io tu si suo sua suoi questo questa "
        "anche come più se dove quando perché tra fra dopo prima nel nella"
    ),
    "portuguese": _words(
        "o a os as um uma de do da dos das e ou mas que em no na nos nas ao à por para com sem sobre é era são "
        "eram foi "
        "foram ser sido tem tinha têm ter está estão ele ela eles elas nós eu você se seu sua seus este esta "
        "também como "
        "mais onde quando porque desde entre até depois antes muito pelo pela"
    ),
}

# Words that carry little of a claim: half-way between stop words and content words.
LIGHT = _words(
    "people person way type kind sort form part example make made use used take taken give given go come came become "
    "became see seen say said tell told know think believe find found want need show new good great big large small "
    "different various several number group set term word name year years time times world first popular common main "
    "important famous originally specifically different main mostly mainly widely commonly typically various "
    "certain interesting cool true sure "
    "awesome nice love enjoy hear heard amazing"
)

# What a sentence doubts, excepts or calls false.
INTENDS = frozenset("plans planned expects expected proposes proposed hopes hoped intends intended wants wanted".split())
RESERVATIONS = {
    **dict.fromkeys("except excepting excluding unless außer ausgenommen behalve tenzij sauf excepto salvo".split(), "exception"),
    **dict.fromkeys("false untrue hoax myth fabricated disproved debunked refuted".split(), "falsity"),
    **dict.fromkeys(
        "may might allegedly reportedly supposedly purportedly perhaps possibly probably apparently angeblich vermutlich vielleicht "
        "misschien vermoedelijk prétendument supuestamente quizás".split(),
        "doubt",
    ),
    **dict.fromkeys(INTENDS, "intent"),
}
BEFORE_MONTH = frozenset("in of on since until till by from to through late early mid last next every each the and or".split())
NEGATION = _words(
    "not no never none nobody nothing neither nor without cannot hardly barely rarely seldom scarcely lack lacks "
    "lacked "
    "lacking fail fails failed failing failure unable refuse refused refuses deny denied denies"
)
NEGATION_OTHER = _words(
    "niet geen nooit niemand niets zonder noch nicht kein keine keinen keinem keiner keines nie niemals nichts ohne "
    "weder pas jamais aucun aucune sans rien nunca jamás ningún ninguna ninguno nada sin tampoco non mai nessuno "
    "nessuna "
    "senza né não nem nenhum nenhuma sem не нет никогда без ни لا ليس لم لن بدون नहीं"
)
NEGATION_CJK = ("不", "没", "沒", "無", "无", "未", "非", "ない", "なかっ", "ません")
NOT_NEGATING = _words("only just merely least doubt matter")  # `not only`, `not just`, `no doubt`, `no matter`

IRREGULAR = _table(
    """
be: is are was were been being am
begin: began begun
beat: beaten
break: broke broken
bring: brought
build: built
buy: bought
catch: caught
choose: chose chosen
come: came
die: died dying death dead
draw: drew drawn
drive: drove driven
eat: ate eaten
fall: fell fallen
feel: felt
fight: fought
find: found
fly: flew flown flight
forget: forgot forgotten
get: got gotten
give: gave given
go: went gone
grow: grew grown growth
hear: heard
hide: hid hidden
hold: held
keep: kept
know: knew known
lead: led
leave: left
lose: lost loss
make: made
mean: meant meaning
meet: met
pay: paid
ride: rode ridden
rise: rose risen
run: ran
say: said
see: saw seen
sell: sold sale sales
send: sent
sing: sang sung song
sit: sat
sleep: slept
speak: spoke spoken speech
spend: spent
stand: stood
steal: stole stolen
swim: swam swum
take: took taken
teach: taught teacher
tell: told
think: thought
throw: threw thrown
understand: understood
wear: wore worn
win: won winner
write: wrote written writer
child: children
foot: feet
goose: geese
man: men
mouse: mice
person: people persons
tooth: teeth
woman: women
wife: wives
life: lives
leaf: leaves
half: halves
long: length
strong: strength
high: height
wide: width
deep: depth
destroy: destruction
produce: production product
compete: competition competitor
describe: description
marry: marriage married
choose: choice
analysis: analyses
invade: invasion
"""
)

SYNONYMS = _groups(
    (
        "begin start commence launch originate emerge", "found establish create form institute", "invent create devise",
        "big large huge great", "buy purchase acquire", "movie film picture", "kind type sort variety",
        "car automobile vehicle", "doctor physician", "kill murder assassinate slay", "end finish conclude cease stop",
        "near close nearby", "help assist aid", "show display demonstrate exhibit", "use utilize employ",
        "build construct erect", "get obtain receive acquire", "live reside inhabit dwell", "city town municipality",
        "country nation state", "area region district zone", "author writer", "write pen author", "singer vocalist",
        "song track", "album record", "begin found", "win beat defeat", "attempt try", "clothes clothing garment",
        "popular famous renowned", "important key significant vital", "quick fast rapid", "several various multiple",
        "rule govern reign", "govern control", "leader head chief", "job occupation profession work",
        "children kid youth",
        "illness disease sickness", "picture image photo photograph", "teach instruct educate", "publish release issue",
        "air broadcast", "show series program programme", "study research", "scientist researcher",
        "company firm business corporation",
        "money fund", "war conflict", "fight battle combat", "happen occur", "happen take_place", "cause lead result",
        "contain include comprise consist", "make produce manufacture create", "locate situate",
        "base locate headquarter",
        "die pass_away", "bear birth", "near adjacent", "rise increase grow climb", "fall decrease decline drop shrink",
        "ban forbid prohibit outlaw", "allow permit let enable", "own possess", "choose select pick elect",
        "speak talk",
        "enough sufficient", "main principal primary chief", "old ancient", "entire whole full",
        "worldwide globe global world",
        "organization organisation group association", "member part", "derive stem come originate", "consume eat drink",
        "depict portray show", "direct helm", "star feature", "need require", "want wish desire", "ship vessel boat",
        "name call title", "soldier troop", "attack assault raid", "destroy ruin demolish", "rich wealthy",
        "poor impoverished",
        "usual normal", "almost nearly", "often frequent", "rare seldom", "house home", "band group",
        "people human person",
        "food dish meal", "cuisine food", "american usa", "hundred hundreds", "win receive award", "sell sold",
    )
)  # fmt: skip

ANTONYMS = _groups(
    (
        "increase decrease", "rise fall", "grow shrink", "large small", "big small", "largest smallest",
        "biggest smallest",
        "most least", "more less", "more fewer", "high low", "higher lower", "highest lowest", "long short",
        "longest shortest",
        "longer shorter", "first last", "before after", "north south", "east west", "northern southern",
        "eastern western",
        "northeast southwest", "northwest southeast", "win lose", "open close", "legal illegal", "male female",
        "man woman",
        "boy girl", "father mother", "son daughter", "brother sister", "husband wife", "king queen", "major minor",
        "always never", "above below",
        "inside outside", "begin end", "start end", "start stop", "start finish", "allow ban", "allow forbid",
        "allow prohibit", "permit prohibit",
        "include exclude", "accept reject", "accept refuse", "support oppose", "for against", "favor against",
        "live die", "alive dead",
        "old new", "old young", "older younger", "oldest youngest", "oldest newest", "early late", "earlier later",
        "earliest latest",
        "success failure", "succeed fail", "better worse", "best worst", "good bad", "import export", "buy sell",
        "love hate",
        "true false", "same different", "many few", "fast slow", "hot cold", "warm cold", "summer winter",
        "day night", "left right", "upper lower",
        "strong weak", "rich poor", "easy difficult", "easy hard", "common rare", "public private", "add remove",
        "create destroy", "build destroy",
        "attack defend", "enter leave", "arrive depart", "positive negative", "advantage disadvantage",
        "maximum minimum", "ancient modern",
        "gain lose", "profit loss", "ally enemy", "agree disagree", "like dislike", "appear disappear", "full empty",
        "heavy light", "wet dry",
        "deep shallow", "wide narrow", "north east", "north west", "south east", "south west", "northern eastern",
        "northern western", "southern eastern", "southern western", "internal external", "lend borrow",
        "victory defeat", "war peace", "teacher student", "parent child", "employer employee", "winner loser",
        "often rarely",
        "all none", "everyone nobody", "with without", "exceed below", "accelerate decelerate", "hard soft",
        "asleep awake",
        "democrat republican", "ability inability", "able unable",
    )
)  # fmt: skip
# Opposites among the words that are no content words.
SMALL_OPPOSITES = {
    "before": ("after",), "after": ("before",), "more": ("less", "fewer"), "less": ("more",), "fewer": ("more",),
    "most": ("least", "fewest"), "least": ("most",), "first": ("last",), "last": ("first",), "with": ("without",),
    "above": ("below",), "below": ("above",), "over": ("under",), "under": ("over",), "all": ("none", "some"),
    "few": ("many",), "many": ("few",),
}  # fmt: skip
NEGATIVE_PREFIXES = ("un", "in", "im", "il", "ir", "dis", "non", "anti")

DEMONYMS = _table(
    """
france: french
spain: spanish
britain: british
england: english
netherlands: dutch
denmark: danish
sweden: swedish
poland: polish
turkey: turkish
greece: greek
switzerland: swiss
ireland: irish
scotland: scottish
wales: welsh
finland: finnish
america: american
europe: european
norway: norwegian
portugal: portuguese
peru: peruvian
thailand: thai
rome: roman
"""
)

PRONOUNS = _words(
    "he she it they him her them his hers its their theirs this these those such who which latter former "
    "hij zij ze hun haar er sie es ihr sein il elle ils elles son sa ses él ella ellos ellas su sus lui lei loro "
    "suo sua "
    "ele ela eles elas seu sua"
)

MONTHS = {
    form: number
    for number, forms in enumerate(
        (
            "january jan januar januari janvier enero gennaio janeiro",
            "february feb febr februar februari février febrero febbraio fevereiro",
            "march mar märz maart mars marzo março",
            "april apr avril abril aprile",
            "may mai mei mayo maggio maio",
            "june jun juni juin junio giugno junho",
            "july jul juli juillet julio luglio julho",
            "august aug augustus août agosto",
            "september sep sept septembre septiembre settembre setembro",
            "october oct oktober okt octobre octubre ottobre outubro",
            "november nov novembre noviembre novembro",
            "december dec dezember dez décembre diciembre dicembre dezembro",
        ),
        start=1,
    )
    for form in forms.split()
}
WEEKDAYS = _words("monday tuesday wednesday thursday friday saturday sunday")
