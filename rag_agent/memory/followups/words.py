"""Word lists by language for reading a turn of a conversation: English richest, four more small, Chinese and Arabic minimal.

The lists hold closed classes (pronouns, articles, prepositions) and, for English, the nouns that say nothing without an "of what"
("the symptoms", "the main types"). They are data, not rules: the rules are in the modules beside this one.
"""

from dataclasses import dataclass


def words(text: str) -> frozenset[str]:
    """Split a blank-separated list into a set."""
    return frozenset(text.split())


@dataclass(frozen=True)
class Language:
    """The closed-class words of one language, all lower case.

    Attributes:
        code: ISO 639-1 code.
        thing: Pronouns for things, singular or plural.
        plural: Those of `thing` that stand for several things.
        person: Pronouns for people (singular).
        possessive: Those of the pronouns that stand before a noun.
        place: Adverbs for a place named before.
        function: Articles, prepositions, conjunctions, auxiliaries, question words.
        wh: Question words that can stand alone as a whole turn ("why?").
        openers: First words of an elliptical turn, longest first ("what about").
    """

    code: str
    thing: frozenset[str]
    plural: frozenset[str]
    person: frozenset[str]
    possessive: frozenset[str]
    place: frozenset[str]
    function: frozenset[str]
    wh: frozenset[str]
    openers: tuple[str, ...]


ENGLISH = Language(
    code="en",
    thing=words("it its they them their theirs"),
    plural=words("they them their theirs"),
    person=words("he him his she her hers"),
    possessive=words("its their his her"),
    place=words("there"),
    function=words(
        """a an the this that these those of in on at to for from by with without about into onto over under between among
        against during after before since until than as like via per versus vs near around across through and or but nor so if
        because while although though whether when where why how who whom whose what which is are was were be been being am
        isn wasn aren weren don doesn didn can could will would shall should may might must do does did done doing has have had
        having not no yes also too very just only even still again ever never now then there here i me my mine we us our you
        your yours it its they them their he him his she her itself themselves himself herself some any all both each every either neither such same other
        another own one ones s t re ve ll d m etc ok okay please much many more most less least few well up out off down away
        back else instead both together always often usually today really exactly actually maybe perhaps
        someone anyone everyone people somebody anybody something anything everything nothing thing things"""
    ),
    wh=words("why how when where who which what"),
    openers=("what about", "how about", "and what about", "and how about", "and", "or", "but"),
)
DUTCH = Language(
    code="nl",
    thing=words("het hij ze zij hun hen deze dit dat ervan eraan erover ermee daarvan daarover daarmee ervoor erin"),
    plural=words("ze zij hun hen"),
    person=words("hij hem zijn zij haar"),
    possessive=words("hun zijn haar"),
    place=words("daar"),
    function=words(
        """de het een deze dit dat die van in op aan te voor uit door met zonder over naar tussen bij tijdens na sinds tot dan als
        en of maar want omdat terwijl toen of wanneer waar waarom hoe wie wat welke welk is zijn was waren wordt worden werd
        werden ben bent kan kunnen kon konden zal zullen zou zouden moet moeten mag heeft hebben had hadden niet geen ja nee ook
        nog al er hier daar ik mij me mijn wij we ons je jij jouw u uw hij hem ze zij haar hun hen men meer veel"""
    ),
    wh=words("waarom hoe wanneer waar wie wat welke hoezo"),
    openers=("hoe zit het met", "en hoe zit het met", "wat dacht je van", "en", "of", "maar"),
)
SPANISH = Language(
    code="es",
    thing=words("eso esto ello ellos ellas su sus ésta este éste"),
    plural=words("ellos ellas"),
    person=words("él ella su sus"),
    possessive=words("su sus"),
    place=words("allí ahí"),
    function=words(
        """el la los las un una unos unas de del en a al por para con sin sobre entre desde hasta y e o u pero porque si cuando
        cuándo donde dónde por qué que qué quién quien quiénes cuál cuáles cómo como cuánto cuántos cuántas es son era eran fue
        fueron ser está están hay ha han había puede pueden no sí también muy más lo le les se su sus yo tú él ella nosotros
        ellos ellas me te nos mi tu este esta esto ese esa eso"""
    ),
    wh=words("cómo cuándo dónde quién cuál qué"),
    openers=("qué hay de", "y qué hay de", "qué pasa con", "y qué pasa con", "y", "o", "pero"),
)
FRENCH = Language(
    code="fr",
    thing=words("il elle ils elles cela ça ceci celui celle ceux celles leur leurs son sa ses"),
    plural=words("ils elles leur leurs ceux celles"),
    person=words("il elle lui son sa ses"),
    possessive=words("son sa ses leur leurs"),
    place=words("là-bas"),
    function=words(
        """le la les l un une des de du d en à au aux par pour avec sans sur sous entre dans depuis jusque et ou mais donc car
        parce que qu si quand où pourquoi comment qui quoi quel quelle quels quelles combien est sont était étaient fut être
        a ont avait peut peuvent doit ne pas non oui aussi très plus y ce cet cette ces c je tu il elle nous vous ils elles me
        te se lui leur son sa ses mon ton t s n j m est-ce a-t-il a-t-elle est-il est-elle"""
    ),
    wh=words("pourquoi comment quand où qui quoi combien"),
    openers=("qu'en est-il de", "et qu'en est-il de", "et pour", "et", "ou", "mais"),
)
GERMAN = Language(
    code="de",
    thing=words("es sie ihnen ihr ihre ihren ihrer dies dieses das davon daran darüber damit dafür darin"),
    plural=words("ihnen"),
    person=words("er ihn ihm sie ihr ihre sein seine seinen seiner"),
    possessive=words("ihr ihre ihren ihrer sein seine seinen seiner"),
    place=words("dort"),
    function=words(
        """der die das den dem des ein eine einen einem einer eines von vom in im an am zu zum zur für aus durch mit ohne über
        nach zwischen bei während seit bis als wie und oder aber weil wenn wann wo warum wieso weshalb wer wen wem was welche
        welcher welches ist sind war waren sein wird werden wurde wurden kann können konnte soll muss hat haben hatte hatten
        nicht kein keine ja nein auch noch schon sehr mehr da dort hier ich mich mir mein wir uns du dein sie er es ihn ihm ihr
        ihnen man gibt"""
    ),
    wh=words("warum wieso weshalb wie wann wo wer was"),
    openers=("was ist mit", "und was ist mit", "wie sieht es mit", "und", "oder", "aber"),
)
LANGUAGES: tuple[Language, ...] = (ENGLISH, DUTCH, SPANISH, FRENCH, GERMAN)

# Scripts without spaces, or without a table above: a pronoun found inside the text is enough to lean on the turn before.
UNSPACED_PRONOUNS: tuple[str, ...] = (
    *("它", "他", "她", "这个", "那个", "这些", "那些", "其中", "呢?", "呢？", "为什么?", "为什么？"),
    *("それ", "彼", "その", "これ", "なぜ?", "なぜですか"),
)
ARABIC_PRONOUNS: frozenset[str] = words("هو هي هم هن ذلك هذا هذه تلك لماذا؟ وماذا ماذا")

# Verbs of asking and the commonest plain verbs: they end a noun phrase. Nouns that are also verbs ("cost", "cause") count as verbs
# only where the grammar around them says so (see phrases.py).
ASKING = words(
    """tell describe explain give show list know find say said let see think want need like wonder learn discuss talk share
    provide understand believe heard hear referring refer mean meant suggest summarize compare comment elaborate interested"""
)
VERBS = words(
    """carry carries join joins protect protects breathe swim fly defend get got gets getting make makes made making go goes going went come comes came take takes took become became use used
    uses using help helps work works happen happens happened live lives lived eat eats affect affects cause causes caused spread
    compare compares differ differs start started begin began end ended build built write wrote written win won die died kill
    kills happen look looks feel keep kept put pay buy sell cost costs weigh last lasts lead led leads include includes
    contain contains consist create creates created increase reduce reduces improve improves prevent prevents treat treats treated
    relieve support supports play plays played form forms formed grow grows grew hold held leave left run runs save visit
    watch read think serve serves produce produces exist exists call called named known born found bring brought mean means
    occur occurs appear appears change changed changes discover discovered encounter encountered spend spent define relate related
    recommended allowed considered tell said seen consuming reducing losing gaining increasing having getting buying selling
    choosing visiting eating suffering being doing"""
)
# Adjectives that any noun can have: they name nothing.
LIGHT = words(
    """main common different important popular famous best better good bad worse worst biggest bigger largest larger smallest
    smaller big small great greatest major minor typical general similar new newest old oldest older youngest younger first
    last next previous current latest early earliest primary key basic possible potential specific certain various several
    special particular unique traditional modern recent short long short-term long-term term positive negative overall average
    total real true full high higher highest low lower lowest fast faster fastest slow rare available reliable dangerous safe
    healthy harmful effective useful treatable curable expensive cheap cheaper free likely necessary interesting nearby further
    brief detailed easy easier hard difficult strong stronger strongest significant nowadays usually ever diplomatic
    health side safety mental physical environmental economic political social cultural legal financial pro con percent number amount lot lots bit kind sort
    biggest tallest taller heaviest longest deepest richest success successful endangered related associated type
    two three four five six seven eight nine ten second third other selling"""
)
SUPERLATIVE = words(
    """best worst biggest largest smallest oldest youngest newest tallest heaviest longest shortest highest lowest fastest
    slowest cheapest strongest deepest richest safest greatest latest earliest older younger bigger larger smaller cheaper"""
)
# Nouns of relation: "the symptoms" of what, "the author" of what. Singular forms.
RELATIONAL = words(
    """type kind sort variety breed model version style form species example category class subtype variation alternative option
    symptom sign cause effect consequence result outcome impact influence risk danger complication treatment cure diagnosis test
    remedy therapy prognosis vaccine side benefit advantage disadvantage pro con drawback downside strength weakness argument
    criticism controversy role purpose function use usage application importance significance meaning definition origin history
    background beginning invention development evolution difference similarity comparison relationship connection theme character
    plot ending author writer creator founder inventor director actor cast owner leader member population capital size height
    length width weight depth age temperature price cost value color colour name part component layer element ingredient feature
    property characteristic structure shape step stage phase process method technique procedure way reason explanation factor
    requirement rule law condition limitation problem issue challenge question answer solution goal objective aim mission result
    success failure award prize review reception rating location place region area date year time duration speed rate percentage
    number amount level range source resource material tool way tip fact detail information data statistic figure trend future
    fund battery engine safety pattern adaptation habitat diet behavior behaviour lifespan food dish event activity attraction
    people person person tribe project treatment medication drug dose exercise training pose poses variation sales score winner
    participant opponent ally enemy successor predecessor parent child wife husband family job career education birthplace
    nationality death birthday status rest majority half end start middle beginning thing story point idea topic subject picture
    differing wavelength frequency approach theory evidence principle mechanism scale standard policy procedure sequel season
    episode chapter book movie film song album"""
)
# Nouns of relation that stay open when "of X" is given: the role of X *in what*, the effect on X *of what*.
OPEN_AFTER: dict[str, frozenset[str]] = {
    "role": words("of"),
    "effect": words("on"),
    "impact": words("on"),
    "influence": words("on"),
    "difference": words("with from"),
}
PREPOSITIONS = words("of in on at to for from with between about among against behind by than versus vs like")
ARTICLES = words("a an the")
AUXILIARIES = words(
    "is are was were be been am do does did can could will would shall should may might must has have had s isn wasn aren don"
)
CLAUSE_BREAKS = words("and or but if when because while after before then so although though")
COMPARING = words(
    "compare compares compared same different differ differs difference differences versus vs similar similarities better"
)
# Adjectives after which "it" points at nothing: "is it true that", "is it possible to".
EMPTY_IT = words("true possible necessary worth common normal okay ok legal illegal bad good better wise hard easy important")
PARTITIVE = words("type kind sort variety breed model version style variation brand species")
WHO = words("who whom wie quién quiénes qui wer wen")
ORDINALS: dict[str, int] = {
    **dict.fromkeys(words("first 1st former eerste primera primero première premier erste ersten"), 0),
    **dict.fromkeys(words("second 2nd tweede segunda segundo deuxième seconde second zweite zweiten"), 1),
    **dict.fromkeys(words("third 3rd derde tercera tercero troisième dritte dritten"), 2),
    **dict.fromkeys(words("fourth 4th vierde cuarta cuarto quatrième vierte vierten"), 3),
    **dict.fromkeys(words("fifth 5th vijfde quinta quinto cinquième fünfte fünften"), 4),
    **dict.fromkeys(words("last latter laatste última último dernière dernier letzte letzten"), -1),
}
# Nouns of time and place that never carry a question: one with nothing else leans on the conversation.
VAGUE = words(
    "day week month year hour minute world earth time place today tomorrow life home while moment way country city area"
)
# Verbs that are as often nouns: they end a phrase only right after a subject pronoun, an auxiliary or "to".
WEAK_VERBS = words(
    "drink carry cook smoke measure travel move join vote protect sleep breathe swim fly attack defend plan test rub visit work"
)
SUBJECTS = words("i you we they it he she to not can could will would should may might must do does did")
PLACE_NOUNS = words("region country city area town place state island province")
