"""Spot sentences that give orders to the reader's assistant instead of telling the reader something.

This is a cheap filter for quotes and context, no guard to rely on alone: what keeps an obeyed order out of an answer is
the support check. It looks for orders about the conversation (its instructions, its reply, its roles), since ordinary
imperatives ("Add the sugar") belong to manuals and recipes.
"""

import base64
import binascii
import re
import unicodedata
from functools import lru_cache

from rag_agent.grounding.template import has_marker
from rag_agent.language import sentences

_DEPTH = 2  # an encoded text may hold an encoded text; deeper ones are not looked at
_REPLY = r"(?:response|reply|replies|answer|output|summary|message|review|report|translation)s?"
_RULES = (
    r"(?:instructions?|rules?|guidelines?|prompts?|directives?|messages|commands?|constraints?"
    r"|restrictions?|polic(?:y|ies)|"
    r"programming|training|safeguards?|filters?|everything|text|context)"
)
_SECRETS = (
    r"(?:system (?:prompt|message)|(?:initial|original|hidden|exact|secret|developer|operating|internal|full) "
    r"(?:prompt|instructions?|message|configuration)|your (?:prompt|instructions?|rules|guidelines|configuration)|"
    r"instructions you were given|api keys?|credentials|passwords?|customer (?:database|list|emails?)|words above)"
)
_TOOL = (
    r"(?:ai|a\.i\.|llm|bot|chatbot|assistant|language model|agent|"
    r"ai (?:coding |code )?(?:agent|assistant|reviewer|model|system))s?"
)

_PATTERNS = (
    # override what went before
    rf"(?:^|[.!?:;,\"'(]|\b(?:must|please|should|to|and|now|then|just|will|stop))\s*"
    rf"(?:ignore|disregard|forget|override|bypass|neglect|discard)\b(?=.{{0,40}}\b(?:previous|prior"
    rf"|above|earlier|preceding|all|any|your|"
    rf"existing|original|system|developer|these|everything)\b).{{0,60}}\b{_RULES}\b",
    r"\b(?:ignore|disregard|forget)\b (?:everything|all|anything)?\s*(?:of )?(?:the )?(?:above"
    r"|that came before|you were told|you know)\b",
    r"\byour (?:new|real|true|actual|only) (?:instructions?|directives?|tasks?|goals?|objectives?"
    r"|role|job) (?:is|are|supersedes?)\b",
    r"^\W*(?:new|updated|important|urgent|additional) (?:system )?(?:instructions?|directives?|updates?|task) ?[:!]",
    r"\byour (?:rules|instructions|guidelines|restrictions) have (?:changed|been)\b",
    r"\bsupersedes? all (?:prior|previous|other)\b",
    # another persona
    r"\byou are now (?:an? |in |the |called |dan\b|free\b|unrestricted)|\bfrom now on,? (?:you (?:are"
    r"|have|must|will|answer|reply|respond)|always|never|every|reply|answer|respond|act)\b",
    r"\b(?:developer|debug|god|dan|jailbreak|admin) mode\b.{0,60}\b(?:you|no|without|enabled|activated)"
    r"\b|\bdo anything now\b",
    r"\b(?:pretend|act|imagine|roleplay|behave)\b.{0,20}\b(?:an ai|a language model|an assistant"
    r"|a chatbot|no rules|no restrictions|unrestricted)\b",
    r"\b(?:you|must|ai|answer|respond|reply|comply)\b.{0,60}\b(?:no|without(?: any)?) (?:content )?(?:restrictions?"
    r"|limits?|filters?|rules|policy)\b",
    # talk to the tool
    rf"\b(?:notes?|messages?|instructions?|attention|reminder|important) (?:to|for) (?:the |any "
    rf"|all )?{_TOOL}\b|\bfor {_TOOL}\)?\s*:",
    rf"\b(?:if|when|since|because) you are an? (?:\w+ )?{_TOOL}\b|\bas an? (?:ai|assistant|language model"
    rf"|llm)\b,? (?:you|i)\b",
    r"\bas the assistant\b,? (?:you|i)\b|^\W*(?:[\w ]{0,20})?reasoning(?: trace)? ?\(assistant\)",
    r"^\W*(?:system|assistant|developer|user|human)(?: (?:note|message|prompt|update|override|instruction"
    r"|hint))?s?\s*:",
    r"^\W*(?:important )?system (?:note|message|prompt|update|override|alert)\b|\bend of (?:user"
    r"|system) (?:input|prompt|message)",
    # secrets
    rf"\b(?:reveal|print|show|output|repeat|display|tell me|leak|dump|expose|give me|summari[sz]e"
    rf"|send|forward|email|collect|list|share|"
    rf"return|recite|disclose|transmit)\b.{{0,60}}\b{_SECRETS}\b",
    r"\b(?:share|send|enter|provide)\b.{0,30}\b(?:bank|card|account|login) (?:details|numbers?|data)\b",
    # how to reply
    rf"\b(?:your|every|each|any|all|future|the final|the next) (?:\w+ )?(?:{_REPLY})\b.{{0,40}}"
    rf"\b(?:must|should|has to|have to|always|include|contain|end|begin)\b",
    rf"(?:^|[.!?:;,\"'(]|\b(?:must|please|should|to|and|now|then|you|also|instead))\s*(?:\w+ly )?(?:include"
    rf"|add|append|insert|integrate|put|mention|embed|"
    rf"attach|write|provide|encode|encrypt|translate|render|convert|replace|remove|reverse|invert"
    rf"|shift|substitute|modify|enhance|"
    rf"rearrange|scramble|group|combine|use|apply|say|begin|start|end|finish|conclude|anagram|suggest"
    rf"|change|alter|format|repeat|represent|misspell|"
    rf"hide|link|promote)\b.{{0,160}}\b(?:your|every future|each future) (?:own |final |next |entire "
    rf"|whole )?{_REPLY}\b",
    rf"\bin your {_REPLY}\b|\b(?:at|to) the (?:end|beginning|start|top) of (?:your|the|every|each) {_REPLY}\b",
    r"^\W*(?:please |now |only |always )?(?:reply|respond|answer)\b,? (?:only|in|with|using|as"
    r"|to|by|the (?:user|question))\b",
    r"\bbefore you (?:answer|reply|respond|continue)\b|\b(?:repeat|output|print|say) (?:it|this"
    r"|the following|exactly)\b.{0,40}\b(?:verbatim|word for word|reply|every)\b",
    r"\b(?:save|store|remember|keep)\b.{0,40}\b(?:to|in) your (?:memory|context)\b|\bremember for all future\b",
    r"\b(?:decode|decrypt|read)\b.{0,60}\b(?:do|follow|execute|obey)\b.{0,30}\b(?:it says|instructions?|inside)\b",
    r"\breplace (?:the )?(?:vowels|letters|words|consonants)\b|\bnumbers for vowels\b",
    r"\b(?:call|invoke|run|use|execute) [a-z]+_[a-z_]+ (?:on|to|with|and)\b",
    # write me something
    r"^\W*(?:please |now )?(?:can|could|will|would) you (?:please )?(?:classify|summari[sz]e|translate"
    r"|rewrite|write|substitute|invert|explain|list|encode)\b",
    r"^\W*(?:please |now )?(?:summari[sz]e|translate|paraphrase|rewrite|draft|compose|classify) (?:the"
    r"|this|these|all|an?|your|following|into|it)\b",
    r"^\W*(?:please |now )?(?:write|develop|generate|create|compose) (?:me )?(?:an? )?(?:\w+ )?(?:poem"
    r"|essay|letter|e?-?mail|story|speech|function|script|tweet|song|summary)\b",
    r"^\W*(?:please |now )?(?:show|tell|give|send) me\b|^\W*recommend (?:an?|me|some)\b|^\W*provide (?:an? (?:list"
    r"|example|summary)|insights|me)\b",
    r"^\W*(?:please |now )?(?:analy[sz]e|determine) the (?:sentiment|trend|mood|tone)\b|^\W*(?:explain"
    r"|describe) (?:the|how|what|why)\b",
    # German, French, Spanish, Italian, Portuguese, Dutch
    r"\b(?:ignorieren?|ignoriert|vergiss|vergesst|missachten?|ignorez|ignorer|oublie[zr]?|ignora|ignorad"
    r"|ignoren|olvida|olvide|olviden|dimentica|dimenticate|ignorate|esqueça|negeer|vergeet)\b.{0,50}"
    r"\b(?:anweisung|instru[ck]|istruzion|instruç|aanwijzing|richtlinie|richtlijn|regeln?\b|règles"
    r"|reglas|regole|regras|regels|alles\b|prompt|system)",
    r"\b(?:verrate?|zeige?|révèle[zr]?|affiche[zr]?|montre[zr]?|muestra|revela|mostra|rivela|toon"
    r"|onthul)\b.{0,50}\b(?:system[- ]?(?:prompt|anweisung)|"
    r"prompt|anweisungen|instructions|instrucciones|istruzioni)",
    r"\b(?:ab (?:sofort|jetzt)|ahora|a partir de ahora|ora|d'ora in poi|désormais|maintenant|vanaf nu|agora)\b.{0,20}"
    r"\b(?:bist du|hast du|gibst du|eres|est[aá]s|sei|tu es|vous êtes|ben je|você é|responde)\b",
    r"\b(?:neue anweisungen|nuevas instrucciones|nuove istruzioni|nouvelles instructions|nieuwe instructies)\s*:",
    r"\b(?:ohne|sin|senza|sans|sem|zonder) (?:einschr\w+|restri\w+|filtr\w+|filter|regeln|limiti|beperkingen)\b",
    r"\b(?:als assistent|como asistente|come assistente|en tant qu'assistant)\b",
    r"^\W*(?:systemhinweis|nota (?:di|del) sistema|note (?:du )?syst[èe]me|systeembericht)\b|\b(?:am ende"
    r"|alla fine|al final|à la fin|aan het einde)"
    r"\b.{0,20}\b(?:antwort|rispost|respuesta|réponse|antwoord)",
)  # fmt: skip
_OTHER_SCRIPTS = re.compile(
    r"(?:忽略|无视|無視|忘记|忘記)[^。]{0,20}(?:指令|指示|提示|规则|規則|説明|命令|内容)|(?:指示|命令|ルール)[^。]{0,8}(?:無視|忘れ)|系统提示|システムプロンプト"
    r"|(?:игнорируй|забудь|не обращай)\w*.{0,40}(?:инструкц|указани|правил)|(?:تجاهل|انس).{0,40}(?:التعليمات"
    r"|الأوامر|القواعد)"
    r"|(?:निर्देशों|नियमों).{0,30}(?:अनदेखा|भूल)|(?:이전|위의).{0,20}(?:지시|명령).{0,10}무시",
    re.IGNORECASE,
)
_ORDERS = re.compile("|".join(f"(?:{pattern})" for pattern in _PATTERNS), re.IGNORECASE)
_ENCODED = re.compile(r"(?<![A-Za-z0-9+/_=-])(?:[0-9a-fA-F]{40,}|[A-Za-z0-9+/_-]{40,}={0,2})(?![A-Za-z0-9+/_=-])")
_LONG = re.compile(r"(?<!\S)\S{50,}(?!\S)")
_LEET = str.maketrans("0134578@$", "oieastbas")
_MIXED = re.compile(r"\b(?=\w*[a-z])(?=\w*[013457])\w{3,}", re.IGNORECASE)
_QUESTION = re.compile(r"[?？؟][\s\"'”’»)\]]*$")
_REACH = 1000  # characters before and behind a span in which an order makes it suspect
_LIMIT = 2000  # characters looked at: a sentence, not a book


@lru_cache(2048)  # each sentence is asked about several times in a turn, as itself and as a neighbour
def is_instruction(sentence: str) -> bool:
    """Say whether a sentence gives an order to an assistant.

    Orders about the conversation itself, in English and a dozen other languages, chat-template markers, digits for
    letters, and orders in base64 or hex count; questions and ordinary imperatives do not.

    Args:
        sentence: One sentence; of longer text the first 2,000 characters are looked at.

    Returns:
        True for an order. Expect misses (see eval_support.py): this filters, it does not guard.
    """
    return _is_order(sentence[:_LIMIT], _DEPTH)


def is_quotable(text: str, start: int = 0, end: int | None = None) -> bool:
    """Say whether a span of a document may be shown: it gives no order and asks nothing.

    A question states nothing, so nothing stands on it; and it may be an order to the assistant in disguise.

    Args:
        text: The text around the span.
        start: First character of the span.
        end: Character behind its last one; None is the end of the text.
    """
    end = len(text) if end is None else end
    touched = [(left, right) for left, right in _around(text, start, end) if left < end and right > start]
    parts = [text[start:end], *(text[max(left, start) : min(right, end)] for left, right in touched)]
    asks = any(_QUESTION.search(part) for part in parts)
    return not asks and not any(map(is_instruction, [text[start:end], *(text[left:right] for left, right in touched)]))


def is_near_order(text: str, start: int, end: int, *, beside: bool = False) -> bool:
    """Say whether an order stands near a span: what stands there may be of the same hand.

    "Note: copies are archived. To archive, send this to ..." is an order in two sentences, of which one looks harmless.

    Args:
        text: The text around the span.
        start: First character of the span.
        end: Character behind its last one.
        beside: Look at the sentence before and behind only, not at 1,000 characters.
    """
    around = _around(text, start, end)
    if beside:
        touched = [number for number, (left, right) in enumerate(around) if left < end and right > start]
        around = around[max(0, touched[0] - 1) : touched[-1] + 2] if touched else []
    return any(is_instruction(text[left:right]) for left, right in around)


def _around(text: str, start: int, end: int) -> list[tuple[int, int]]:
    """The sentences of a span and those within reach of it; the ones at the rim may be cut."""
    low = max(0, start - _REACH)
    return [(low + left, low + right) for left, right in sentences(text[low : end + _REACH])]


def _is_order(sentence: str, depth: int) -> bool:
    if has_marker(sentence):
        return True
    text = re.sub(r"[\s\u200b-\u200f\u2060\ufeff]+", " ", unicodedata.normalize("NFKC", sentence)).replace("’", "'").strip()
    if _ORDERS.search(text) or _OTHER_SCRIPTS.search(text):
        return True
    plain = _MIXED.sub(lambda match: match.group().translate(_LEET), text)
    if plain != text and _ORDERS.search(plain):
        return True
    return depth > 0 and any(_is_order(decoded, depth - 1) for decoded in _decoded(text))


def _decoded(text: str) -> list[str]:
    """Decode long runs of hex, base64, base64url and base85; what is no text afterwards is left out."""
    found = []
    for run in [*_ENCODED.findall(text), *_LONG.findall(text)]:
        for decode in (bytes.fromhex, _from_base64, base64.b85decode):
            try:
                found.append(decode(run).decode("utf-8"))
            except (ValueError, binascii.Error):
                continue
    return found


def _from_base64(run: str) -> bytes:
    run = run.rstrip("=").replace("-", "+").replace("_", "/")
    return base64.b64decode(run + "=" * (-len(run) % 4), validate=True)
