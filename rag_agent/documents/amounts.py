"""Values of a sheet's cells as the sheet shows them: dates, percentages, currencies, leading zeros."""

import re
from datetime import date, datetime, time, timedelta

_MONTHS = "January February March April May June July August September October November December".split()
_DAYS = "Monday Tuesday Wednesday Thursday Friday Saturday Sunday".split()
# What the names of days and months are in depends on the reader's machine, and so does the order of the default date.
_DEFAULT_DATES = {"mm-dd-yy", "m/d/yy", "m/d/yy h:mm", "[$-f800]dddd\\,\\ mmmm\\ dd\\,\\ yyyy", "[$-f400]h:mm:ss\\ am/pm"}
_LITERAL = re.compile(r'"([^"]*)"|\\(.)|\[\$([^\]-]*)(?:-[^\]]*)?\]|\[[^\]]*\]|_.|\*.')
_TOKEN = re.compile(r"yyyy|yy|mmmm|mmm|mm|m|dddd|ddd|dd|d|hh|h|ss|s|am/pm|a/p|.", re.IGNORECASE)


def shown(value: object, style: str = "General") -> str:
    """A value as text, by the number format of its cell."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).upper()
    if isinstance(value, datetime | date | time):
        return _moment(value, style)
    if isinstance(value, timedelta):
        seconds = int(value.total_seconds())
        return f"{seconds // 3600}:{seconds // 60 % 60:02d}" + (f":{seconds % 60:02d}" if seconds % 60 else "")
    if isinstance(value, int | float):
        return _amount(value, style)
    return str(value)


def _moment(value: date | time, style: str) -> str:
    midnight = isinstance(value, datetime) and not (value.hour or value.minute or value.second)
    if style.lower() in _DEFAULT_DATES or style in ("General", "@", ""):
        plain = value.date() if isinstance(value, datetime) and midnight else value
        return plain.isoformat(" ") if isinstance(plain, datetime) else plain.isoformat()
    literals: list[str] = []
    pattern = _hidden(style.partition(";")[0][:200], literals)
    tokens = _TOKEN.findall(pattern)
    half = any(token.lower() in ("am/pm", "a/p") for token in tokens)
    out = ""
    last = ""  # the last token of a date or time: minutes follow hours
    for place, token in enumerate(tokens):
        low = token.lower()
        minutes = low in ("m", "mm") and (last.startswith("h") or _next(tokens, place).startswith("s"))
        out += _part(value, low, token, minutes=minutes, half=half, literals=literals)
        last = low if low[0] in "ymdhs" else last
    return " ".join(out.split()) or value.isoformat()


def _next(tokens: list[str], place: int) -> str:
    return next((one.lower() for one in tokens[place + 1 :] if one[0].lower() in "ymdhs"), "")


def _part(value: date | time, low: str, token: str, *, minutes: bool, half: bool, literals: list[str]) -> str:
    """What one token of a format shows."""
    if "\ue000" <= token[0] <= "\uf8ff":
        return literals[ord(token[0]) - 0xE000]
    day = value if isinstance(value, date) else None
    clock = value if isinstance(value, datetime | time) else time()
    hour = (clock.hour % 12 or 12) if half else clock.hour
    if minutes:
        return str(clock.minute).zfill(len(low))
    known = {
        "hh": f"{hour:02d}", "h": str(hour), "ss": f"{clock.second:02d}", "s": str(clock.second),
        "am/pm": "PM" if clock.hour >= 12 else "AM", "a/p": "P" if clock.hour >= 12 else "A",
    }  # fmt: skip
    if day:
        month, weekday = _MONTHS[day.month - 1], _DAYS[day.weekday()]
        known |= {
            "yyyy": f"{day.year:04d}", "yy": f"{day.year % 100:02d}", "mmmm": month, "mmm": month[:3], "mm": f"{day.month:02d}",
            "m": str(day.month), "dddd": weekday, "ddd": weekday[:3], "dd": f"{day.day:02d}", "d": str(day.day),
        }  # fmt: skip
    return known.get(low, "" if low[0] in "ymd" else token)


def _amount(value: float, style: str) -> str:
    sections = re.split(r';(?=(?:[^"]*"[^"]*")*[^"]*$)', style)
    if value < 0 and len(sections) > 1 and sections[1].strip():
        section, value, sign = sections[1], -value, ""
    elif value == 0 and len(sections) > 2 and sections[2].strip():
        section, sign = sections[2], ""
    else:
        section, sign = sections[0], "-" if value < 0 else ""
        value = abs(value)
    literals: list[str] = []
    pattern = _hidden(section[:200], literals)
    digits = re.search(r"[#0?][#0?,]*(?:\.[#0?]+)?,*", pattern)
    if "general" in pattern.lower() or not digits or re.search(r"[#0?]/|[eE][+-]|[@]", pattern):
        return sign + _general(value) if digits or "general" in pattern.lower() or not literals else _restored(pattern, literals)
    place, _, decimals = digits[0].rstrip(",").partition(".")
    value *= 100 ** pattern.count("%")
    value /= 1000 ** (len(digits[0]) - len(digits[0].rstrip(",")))  # shown in thousands
    least = decimals.rstrip("#")
    text = f"{value:{',' if ',' in place else ''}.{min(len(decimals), 15)}f}"
    if len(least) < len(decimals):
        whole, _, rest = text.partition(".")
        rest = rest[: len(least)] + rest[len(least) :].rstrip("0")
        text = f"{whole}.{rest}" if rest else whole
    if "," not in place and place.count("0") > 1:
        whole, dot, rest = text.partition(".")
        text = whole.zfill(place.count("0")) + dot + rest
    if re.search(r"[#0?]", pattern[digits.end() :]):  # digits parted by other signs, as in telephone numbers
        return sign + _general(value)
    return (sign + _restored(pattern[: digits.start()] + text + pattern[digits.end() :], literals)).strip()


def _hidden(pattern: str, literals: list[str]) -> str:
    """A format with its literal text replaced by a character of private use each, colours and conditions dropped."""

    def hide(found: re.Match[str]) -> str:
        literal = next((one for one in found.groups() if one is not None), None)
        if literal is None:
            return " " if found[0][0] == "_" else ""
        literals.append(literal)
        return chr(0xE000 + len(literals) - 1)

    return _LITERAL.sub(hide, pattern)


def _restored(text: str, literals: list[str]) -> str:
    return " ".join(re.sub("[\ue000-\uf8ff]", lambda found: literals[ord(found[0]) - 0xE000], text).split())


def _general(value: float) -> str:
    if isinstance(value, int) or (value.is_integer() and abs(value) < 1e15):
        return str(int(value))
    return f"{value:.11g}"
