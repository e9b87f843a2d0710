"""An email as it is sent: headers, plain text and HTML as bytes."""

import base64
import re
from email.utils import format_datetime, formataddr
from functools import lru_cache

from services.notifications.domain.deliveries import Delivery
from shared.kernel.clock import BERLIN

WORD_MAX_BYTES = 42
LINE_BYTES = 76
SENDER = "Allianz Sichere Sächsische Kommunen"
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


def mime(delivery: Delivery, sender: str) -> bytes:
    """The email as it is sent, the same bytes at each attempt; raises ValueError when a header would break its line.

    Put together by hand: EmailMessage takes ten times as long, and changes a space where it folds a subject.
    """
    boundary = f"=_{delivery.id}"
    headers = {
        "From": _from(sender),
        "To": delivery.to,
        "Subject": _subject(delivery.text.subject),
        "Date": format_datetime(delivery.created_at.astimezone(BERLIN)),
        "Message-ID": delivery.message_id,
        "MIME-Version": "1.0",
        "Auto-Submitted": "auto-generated",
        "X-Auto-Response-Suppress": "All",
        "Content-Language": "de",
        "Content-Type": f'multipart/alternative;\r\n boundary="{boundary}"',
    }
    for name, value in headers.items():
        if _CONTROL.search(value.replace("\r\n ", "")) or not value.isascii():
            raise ValueError(f"header {name} of email {delivery.id} is no line of ASCII")
    head = "".join(f"{name}: {value}\r\n" for name, value in headers.items()).encode()
    plain, html = _part("plain", delivery.text.plain), _part("html", delivery.text.html)
    edge = f"--{boundary}".encode()
    return b"".join((head, b"\r\n", edge, b"\r\n", plain, edge, b"\r\n", html, edge, b"--\r\n"))


def _subject(subject: str) -> str:
    """The subject as encoded words (RFC 2047, section 2), on lines of at most 78 characters."""
    rest, words = subject.encode(), []
    while len(rest) > WORD_MAX_BYTES:
        end = WORD_MAX_BYTES
        while rest[end] & 0xC0 == 0x80:  # noqa: PLR2004 -- in the middle of a letter
            end -= 1
        words.append(rest[:end])
        rest = rest[end:]
    return "\r\n ".join(f"=?utf-8?b?{base64.b64encode(word).decode()}?=" for word in (*words, rest))


@lru_cache
def _from(sender: str) -> str:
    return formataddr((SENDER, sender)).replace(" <", "\r\n <")


def _part(subtype: str, text: str) -> bytes:
    head = f'Content-Type: text/{subtype}; charset="utf-8"\r\nContent-Transfer-Encoding: base64\r\n\r\n'
    content = base64.b64encode(text.encode())
    lines = [content[at : at + LINE_BYTES] for at in range(0, len(content), LINE_BYTES)]
    return head.encode() + b"\r\n".join((*lines, b""))
