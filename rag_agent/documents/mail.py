"""E-mail messages."""

import email
import re
from email.message import EmailMessage
from email.policy import default
from typing import cast

from rag_agent.documents import plain
from rag_agent.documents.builder import Builder
from rag_agent.documents.hypertext import add_page
from rag_agent.documents.reading import Reading, Unreadable, decode

_SHOWN = ("From", "To", "Cc", "Date", "Reply-To")


def read(data: bytes) -> Reading:
    """The subject, the headers that people see, and the body of a message; what is attached is told by name."""
    message = cast(EmailMessage, email.message_from_bytes(data.lstrip(b"\xef\xbb\xbf\r\n"), policy=default))
    if not message.keys():
        raise Unreadable("no e-mail message: it has no headers")
    builder = Builder()
    subject = _header(message, "Subject")
    builder.add("heading", subject, level=1)
    builder.lines("pair", (f"{name}: {value}" for name in _SHOWN if (value := _header(message, name))))
    told = [*_body(builder, message), *_attached(message)]
    return builder.reading("eml", title=subject, told=told)


def _header(message: EmailMessage, name: str) -> str:
    try:
        return " ".join(str(message.get(name) or "").split())
    except (ValueError, TypeError, IndexError, AttributeError):  # what its parser raises over damaged headers
        return ""


def _body(builder: Builder, message: EmailMessage) -> list[str]:
    body = message.get_body(("plain", "html"))
    if body is None:
        return []
    text = _text(cast(EmailMessage, body))
    if body.get_content_type() == "text/html":
        return list(add_page(builder, text, level=1).told)
    text = text.replace("\r\n", "\n")
    signature = re.search(r"^-- ?$", text, re.MULTILINE)  # what stands below is no rule between articles
    builder.add_text(text, plain.structure(text[: signature.start()] if signature else text).blocks)
    return []


def _text(part: EmailMessage) -> str:
    raw = part.get_payload(decode=True)
    data = raw if isinstance(raw, bytes) else str(part.get_payload()).encode("utf-8", "replace")
    try:
        return data.decode(part.get_content_charset() or "utf-8")
    except (UnicodeDecodeError, LookupError):
        return decode(data)[0]


def _attached(message: EmailMessage) -> list[str]:
    names = [str(part.get_filename() or part.get_content_type()) for part in message.iter_attachments()]
    return [f"attached and not read: {', '.join(names)}"] if names else []
