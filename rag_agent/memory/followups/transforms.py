"""Turns that ask for no search: those that only transform the last answer, and plain social chat."""

import re

_FLAGS = re.I
_LONGEST = 160  # characters; a longer turn says more than "shorten it" or "thanks", and the patterns stay fast
_LANGUAGE_NAMES = (
    "dutch|english|spanish|french|german|italian|portuguese|chinese|mandarin|japanese|korean|arabic|russian|turkish|polish|"
    "swedish|danish|norwegian|finnish|greek|hebrew|hindi|urdu|ukrainian|czech|hungarian|romanian|vietnamese|thai|indonesian|"
    "latin|nederlands|engels|spaans|frans|duits|italiaans|inglés|español|holandés|neerlandés|francés|alemán|italiano|anglais|"
    "français|espagnol|néerlandais|englische|deutsche|französische|spanische|niederländische|allemand|italien|englisch|deutsch|niederländisch|spanisch|französisch"
)
LANGUAGE = re.compile(rf"\b(?:{_LANGUAGE_NAMES})\b", _FLAGS)


def names_language(question: str) -> bool:
    """Say whether a turn names a language, as one that asks for a translation does."""
    return bool(LANGUAGE.search(question))


_POLITE = (
    r"(?:(?:please|ok(?:ay)?|now|and|then|great|thanks|thank you|so|alstublieft|alsjeblieft|por favor|s'il (?:te|vous) plaît|"
    r"bitte|(?:can|could|would|will) you|(?:kun|kan|wil|zou) (?:je|u)|puedes|podrías|peux-tu|pouvez-vous|kannst du|"
    r"können sie|i(?:'d| would) like you to|i want you to|try to|just|also|nu|en|ahora)[\s,.!]+){0,5}"
)
# What a transformation works on: the answer, or a word that stands for it. "the article", "the book" are documents.
_ANSWER = (
    r"(?:(?:this|that|it|them|these|those|(?:(?:the|your|this|that|the (?:last|previous|above)|your (?:last|previous))\s+)"
    r"(?:answer|reply|response|text|explanation|summary|list|translation|paragraph|sentences?|result|output|message|version)|"
    r"(?:the|what you) (?:above|said|just said|wrote)|everything|all (?:of )?(?:this|that))(?:'s)?(?: (?:all|again|up|down))*)"
)
_NUMBER = (
    r"(?:\d{1,4}|one|two|three|four|five|six|seven|eight|nine|ten|fifteen|twenty|thirty|forty|fifty|a hundred|one hundred|"
    r"een|twee|drie|vier|vijf|tien|twintig|un|une|dos|tres|deux|trois|zwei|drei|zehn|zwanzig|diez|veinte|dix|vingt|a|a few|a couple of)"
)
_UNIT = (
    r"(?:words?|sentences?|lines?|bullet(?: point)?s?|points?|paragraphs?|characters?|woorden|zinnen|zin|regels|palabras|"
    r"frases?|oraci[oó]n(?:es)?|mots|phrases?|w[oö]rtern?|s[aä]tzen?|satz)"
)
_LIMIT = rf"(?:(?:in|to|into|using|with|within|under|of|at most|no more than|less than|fewer than|max(?:imum)?(?: of)?|a max(?:imum)? of|about|only|just|tot|naar|op|met|maximaal|hoogstens|a|en|de|à|auf|mit|höchstens)\s+){{0,3}}{_NUMBER}\s+(?:\w+\s+)?{_UNIT}"
_STYLE = (
    r"(?:(?:in|as|into|with|using|to)\s+)?(?:an?\s+|the\s+)?(?:(?:much |a bit |a little |even )?(?:more\s+|less\s+)?"
    r"(?:simpl(?:e|er|y)|easier|plain(?:er)?|short(?:er)?|brief(?:er|ly)?|concise(?:ly)?|clear(?:er|ly)?|formal(?:ly)?|informal(?:ly)?|"
    r"other|different|your own|fewer|layman'?s?|basic|technical|detailed|polite(?:ly)?|numbered|bullet(?:ed)?|single|one)\s*){1,3}"
    r"(?:words?|terms?|language|english|way|form|style|tone|version|list|points?|sentences?|paragraph|bullets?)?"
)
_SHAPE = (
    r"(?:(?:in|as|into|to|a|an|the)\s+){0,3}(?:(?:short|numbered|bulleted|bullet|simple|markdown)[\s-]*){0,2}(?:list|bullets?|bullet points?|"
    r"table|poem|tweet|e-?mail|haiku|markdown|json|summary|headline|title|one-liner|tl;?dr|paragraphs?|steps?)(?: of (?:it|that|this|them))?"
)
_IN_LANGUAGE = rf"(?:in|to|into|in het|naar het|naar|al|en|a|au|ins|auf)\s+(?:the\s+)?(?:{_LANGUAGE_NAMES})"
_AUDIENCE = (
    r"(?:for|to|as if|like|so that)\s+(?:i (?:am|was|were)|i'm|a|an|my|someone|kids?|children|beginners?|dumm(?:y|ies)|five|"
    r"a (?:five|5|six|6|ten|10)).{0,40}"
)
_HOW = rf"(?:{_LIMIT}|{_IN_LANGUAGE}|{_SHAPE}|{_STYLE}|{_AUDIENCE})"
_TAIL = rf"(?:[\s,;:]+(?:and\s+)?(?:{_HOW}|please|again|for me|instead|a bit|a little|more|now|alstublieft|alsjeblieft|por favor|bitte)){{0,4}}"
_END = r"[\s.!?…]*$"
_WORK = (
    r"(?:shorten|translate|summari[sz]e|sum up|simplify|rephrase|reword|paraphrase|rewrite|condense|compress|expand|elaborate(?: on)?|"
    r"lengthen|repeat|list|bullet|format|reformat|convert|turn|put|say|write|give|explain|make|tell|show|state|express|clarify|"
    r"restate|proofread|correct|trim|cut|reduce|split|sort|number|present|keep|limit)"
)
_BARE_WORK = (
    r"(?:shorten|translate|summari[sz]e|simplify|rephrase|reword|paraphrase|condense|repeat|elaborate|shorter|simpler|tl;?dr|"
    r"eli5|longer|briefer|again|sum(?: it)? up|in short|in brief|in summary|vertaal|samenvatten|korter|eenvoudiger|kürzer|"
    r"einfacher|más corto|plus court|more (?:concise|briefly|simply))"
)
# "it" glued to or placed after the verb in the other languages: vertaal het, tradúcelo, traduis-le, übersetze es.
_OTHER_LANGUAGES = (
    r"(?:(?:vertaal|verkort|vereenvoudig|herhaal|herschrijf|vat)\s+(?:(?:het|dit|dat)(?:\s+(?:antwoord|laatste antwoord))?)(?:\s+samen)?"
    rf"{_TAIL}|"
    r"(?:maak|zeg|schrijf|leg|geef|zet)\s+(?:het|dit|dat|er)(?:\s+(?:antwoord))?(?=.*\b(?:korter|eenvoudig\w*|simpel\w*|lijst\w*|samen\w*|"
    r"woorden|zinnen|uit|nederlands|engels|duits|frans|spaans)\b).{0,60}|"
    r"(?:trad[uú]ce|res[uú]me|acorta|simplif[ií]ca|repite|rep[ií]te|abrevia|explica|exp[lp]l?[ií]ca|escribe|escr[ií]be|haz)(?:me)?lo\b.{0,60}|"
    r"(?:traduce|resume|acorta|simplifica|repite)\s+(?:esto|eso|(?:la|tu) (?:última )?respuesta)\b.{0,60}|"
    r"(?:tradui[st](?:ez)?|résume[zr]?|raccourci[st]?(?:sez)?|simplifie[zr]?|répète|répétez|reformule[zr]?|explique[zr]?)"
    r"(?:-(?:le|la|les|moi)+(?:-(?:le|la))?|\s+(?:ça|cela|(?:la|ta|votre) (?:dernière )?réponse))\b.{0,60}|"
    r"(?:übersetze?|kürze?|vereinfache?|wiederhole?|erkläre?|formuliere?|fasse?)(?:n sie)?\s+(?:es|das|dies|(?:die|deine|ihre) (?:letzte )?antwort)"
    rf"{_TAIL}(?:\s+zusammen)?{_TAIL})"
)
_PATTERNS = (
    rf"{_POLITE}{_WORK}\s+(?:me\s+)?{_ANSWER}(?:\s+(?:to|for) me)?{_TAIL}",  # shorten it, translate the answer to Dutch, make it shorter
    rf"{_POLITE}(?:make|give|write|create|do|show)(?: me)?\s+{_SHAPE}{_TAIL}",  # make a list of it
    rf"{_POLITE}(?:make|give|create|write|provide)(?: me)?\s+(?:an?\s+|the\s+)?(?:short(?:er)?|brief|simpl(?:e|er)|concise)?\s*"
    rf"(?:summary|version|translation|list)(?:\s+(?:of|from)\s+{_ANSWER})?{_TAIL}",
    rf"{_POLITE}{_BARE_WORK}{_TAIL}",  # shorter please
    rf"{_POLITE}{_LIMIT}{_TAIL}",  # in 20 words please
    rf"{_POLITE}(?:in|in het|en|auf)\s+(?:{_LANGUAGE_NAMES}){_TAIL}",  # in Dutch please
    rf"{_POLITE}(?:in|as|with|using)\s+{_STYLE}{_TAIL}",  # in simpler words
    rf"{_POLITE}(?:as\s+{_SHAPE}|bullet(?: point)?s){_TAIL}",  # as a list
    rf"{_POLITE}(?:translate|explain|say|write|answer|reply|respond|repeat|rephrase|summari[sz]e|tell me|put)(?:\s+{_HOW}){{1,2}}{_TAIL}",
    rf"{_POLITE}what (?:is|'s|would be) {_ANSWER} {_IN_LANGUAGE}",  # what is that in Dutch
    rf"{_POLITE}how (?:do|would|can) (?:you|i|we) say {_ANSWER} {_IN_LANGUAGE}",
    rf"{_POLITE}{_OTHER_LANGUAGES}",
)
_TRANSFORM = tuple(re.compile(rf"^\s*{pattern}{_END}", _FLAGS) for pattern in _PATTERNS)
# "tell me that ..." and "show it" fetch; a transformation of these verbs needs a manner: "say it in Dutch", "make it shorter".
_NEEDS_MANNER = re.compile(
    rf"^\s*{_POLITE}(?:tell|show|give|list|make|put|explain|clarify|express|present|trim|cut|limit|say|write|present|state|keep|turn|convert|number|sort|correct|split|elaborate(?: on)?)"
    rf"(?:\s+me)?\s+{_ANSWER}(?:\s+(?:to|for) me)?(?:\s+(?:please|more|again))?{_END}",
    _FLAGS,
)
_ONLY_LANGUAGE = re.compile(
    rf"^\s*{_POLITE}(?:in|in het|en|auf|in the)\s+(?P<language>{_LANGUAGE_NAMES})\b[^\w]*(?:please)?{_END}", _FLAGS
)
_UNSPACED = re.compile(
    r"(?:翻译|翻譯|缩短|縮短|总结一下|總結一下|简化|用简单的话|换句话说|要約し|翻訳し|短くし|簡単に言).{0,20}$"
)
_ARABIC = re.compile(r"^\s*(?:من فضلك\s+)?(?:ترجم|لخص|اختصر|بسط)(?:ها|ه|\s+(?:هذا|ذلك|الإجابة|الجواب))")
_CHAT = re.compile(
    r"^\W*(?:(?:(?:many |so much )?thanks?(?: (?:you|a lot|so much|again|very much|for (?:your|the|that|all)[\w ]{0,30}))*|thx|cheers|"
    r"hi(?: there)?|hello(?: there)?|hey(?: there)?|good (?:morning|afternoon|evening|night|day)|bye(?: bye)?|goodbye|see you(?: later| soon)?|"
    r"ok(?:ay)?|great|cool|nice|perfect|awesome|wonderful|excellent|good|fine|interesting|i see|got it|understood|that(?:'s| is) "
    r"(?:all|fine|ok(?:ay)?|great|good|interesting|helpful|nice|cool)(?: for now)?|very (?:helpful|good|nice|interesting)|well done|good (?:job|bot)|"
    r"you(?:'re| are) (?:welcome|great|helpful)|how are you(?: (?:doing|today))*|who are you|what can you do|nice to meet you|sorry|no problem|"
    r"never ?mind|lol|haha+|wow|bedankt|dank (?:je|u)(?: wel)?|hallo|hoi|goedemorgen|goedemiddag|goedenavond|tot ziens|dag|prima|mooi|"
    r"(?:muchas )?gracias|hola|buenos días|buenas (?:tardes|noches)|adiós|vale|merci(?: beaucoup)?|bonjour|bonsoir|salut|au revoir|"
    r"danke(?: schön| sehr)?|vielen dank|guten (?:morgen|tag|abend)|tschüss|auf wiedersehen|谢谢|謝謝|你好|您好|再见|ありがとう|こんにちは|"
    r"شكرا|مرحبا)[\s,.!?…:;)🙂😊👍]*(?:and |so |very much|a lot|all|everyone|bot|assistant)?[\s,.!?…]*){1,5}$",
    _FLAGS,
)
_WORDS = {
    **dict(zip("one two three four five six seven eight nine ten".split(), range(1, 11), strict=True)),
    "fifteen": 15, "twenty": 20, "thirty": 30, "forty": 40, "fifty": 50, "hundred": 100, "een": 1, "twee": 2, "drie": 3,
       "tien": 10, "twintig": 20, "diez": 10, "veinte": 20, "dix": 10, "vingt": 20, "zehn": 10, "zwanzig": 20,
}  # fmt: skip
_WORD_LIMIT = re.compile(r"(\d{1,4}|[^\W\d_]+)[\s-]*(?:words?|woorden|palabras|mots|w[oö]rtern?)\b", _FLAGS)


def is_transformation(question: str) -> bool:
    """Say whether a turn only asks for the last answer in another form: shorter, translated, as a list, explained simply.

    Args:
        question: The turn, in any language; English patterns are richest.

    Returns:
        False for questions about documents that use the same verbs ("Who translated the book to Dutch?", "list the astronauts").
    """
    if len(question) > _LONGEST:
        return False
    text = " ".join(question.replace("’", "'").split())
    if _UNSPACED.search(text) or _ARABIC.search(text):
        return True
    return not _NEEDS_MANNER.match(text) and any(pattern.match(text) for pattern in _TRANSFORM)


def other_language(question: str, before: str) -> str:
    """Read "and in Dutch?" after a question about a language ("What is Moon in French?") as that question again.

    Args:
        question: The turn.
        before: The last question.

    Returns:
        The last question with the new language, "" where the turn or the last question names none.
    """
    found = _ONLY_LANGUAGE.match(question)
    if found is None or not LANGUAGE.search(before):
        return ""
    return LANGUAGE.sub(found["language"], before, count=1)


def is_chat(question: str) -> bool:
    """Say whether a turn is social only: thanks, a greeting, "ok, great"."""
    return len(question) <= _LONGEST and _CHAT.match(question.replace("’", "'")) is not None


def word_limit(question: str) -> int | None:
    """Read the largest number of words a turn allows ("in 20 words", "to twenty words").

    Returns:
        The number, or None where the turn names none.
    """
    found = _WORD_LIMIT.search(question)
    if found is None:
        return None
    number = found.group(1).lower()
    return int(number) if number.isdigit() else _WORDS.get(number)
