"""E-mail (RFC 5322): who wrote to whom and when, and the text; attachments are named, not read."""

from __future__ import annotations

from contextlib import suppress
from email import message_from_bytes, policy
from email.message import EmailMessage
from email.utils import parsedate_to_datetime

from accordeur.documents.document import Document
from accordeur.documents.readers import html
from accordeur.documents.readers.decoding import whole
from accordeur.documents.readers.metadata import tidy
from accordeur.documents.readers.unreadable import Unreadable

VERSION = 1

_SHOWN = ("Subject", "From", "To", "Cc", "Date")


def read(data: bytes, name: str) -> Document:
    """A message as a person reads it.

    Raises:
        Unreadable: it is no message.
    """
    message = message_from_bytes(data, policy=policy.default)
    assert isinstance(message, EmailMessage)
    try:
        head = [f"{field}: {message[field]}" for field in _SHOWN if message[field]]
        body = _body(message, name)
        attached = [part.get_filename() or "" for part in message.iter_attachments()]
    except (LookupError, ValueError, AttributeError, TypeError) as error:
        raise Unreadable(f"it is no e-mail that can be read ({error})") from error
    if not head:
        raise Unreadable("it is no e-mail: it has no sender, subject or date")
    names = [one for one in attached if one]
    tail = [f"Attached: {', '.join(names)}"] if names else []
    text = whole("\n\n".join(part for part in ("\n".join(head), body, *tail) if part))
    notes = (f"{len(attached)} attachments are not read",) if attached else ()
    return Document(name, text, metadata=tidy(_told(message)), notes=notes)


def _body(message: EmailMessage, name: str) -> str:
    part = message.get_body(("plain", "html"))
    if part is None:
        return ""
    content = str(part.get_content())
    if part.get_content_subtype() == "html":
        return html.from_text(content, name).text
    return content.replace("\r\n", "\n").strip()


def _told(message: EmailMessage) -> dict[str, str]:
    told = {"title": str(message["Subject"] or ""), "author": str(message["From"] or "")}
    with suppress(ValueError, TypeError, IndexError):
        told["date"] = parsedate_to_datetime(str(message["Date"])).date().isoformat()
    return told
