"""The mailer: sends each email as soon as it is stored, over its own connection, and polls for leftovers."""

import asyncio
import logging
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime

import aiosmtplib
from jinja2 import DictLoader, Environment, select_autoescape

from benchmarks.rival.store import Document, Store

SWEEP_SECONDS = 1.0
LEFT_OVER = timedelta(seconds=10)
TEXT = """Guten Tag,

in das Glas {{ jar }} {{ "kam" if amount == 1 else "kamen" }} {{ amount }}.
{% for line in lines %}
- {{ line }}
{%- endfor %}

Freundliche Grüße
Ihre Küche
"""
HTML = """<!doctype html><html lang="de"><body><p>Guten Tag,</p>
<p>in das Glas <b>{{ jar }}</b> {{ "kam" if amount == 1 else "kamen" }} {{ amount }}.</p>
<ul>{% for line in lines %}<li>{{ line }}</li>{% endfor %}</ul>
<p>Freundliche Grüße<br>Ihre Küche</p></body></html>
"""
LINES = [f"Zeile {number} mit dem, was sonst noch zu sagen wäre" for number in range(12)]

log = logging.getLogger(__name__)


class Mailer:
    """Sends over SMTP."""

    def __init__(self, host: str, port: int, sender: str) -> None:
        self._host, self._port, self._sender = host, port, sender
        templates = Environment(
            loader=DictLoader({"mail.txt": TEXT, "mail.html": HTML}), autoescape=select_autoescape(["html"])
        )
        self._text, self._html = templates.get_template("mail.txt"), templates.get_template("mail.html")

    async def send(self, mail: Document) -> None:
        """Send one email; raises the mail server's error."""
        await aiosmtplib.send(self.message(mail), hostname=self._host, port=self._port, start_tls=False, timeout=5)

    def message(self, mail: Document) -> EmailMessage:
        """Return the email as a message."""
        message = EmailMessage(policy=SMTP)
        message["From"] = self._sender
        message["To"] = f"{mail['jar']}@kitchen.example"
        message["Subject"] = f"Glas {mail['jar']} ist jetzt voller"
        message["Date"] = format_datetime(datetime.now(UTC))
        message["Message-ID"] = f"<{mail['_id']}@kitchen.example>"
        message.set_content(self._text.render(jar=mail["jar"], amount=mail["amount"], lines=LINES))
        message.add_alternative(self._html.render(jar=mail["jar"], amount=mail["amount"], lines=LINES), subtype="html")
        return message

    async def deliver(self, store: Store, mail: Document) -> None:
        """Send a stored email and record the result."""
        await self.send(mail)
        await store.mails.update_one({"_id": mail["_id"]}, {"$set": {"state": "sent"}})

    async def sweep(self, store: Store) -> None:
        """Send emails that a crash or a failure left behind, until cancelled."""
        while True:
            await asyncio.sleep(SWEEP_SECONDS)
            try:
                left_over = {"state": "queued", "at": {"$lt": datetime.now(UTC) - LEFT_OVER}}
                async for mail in store.mails.find(left_over).limit(100):
                    await self.deliver(store, mail)
            except Exception:
                log.exception("not delivered, tried again")
