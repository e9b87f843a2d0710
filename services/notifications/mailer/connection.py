"""A connection to the mail server, and its errors."""

from contextlib import suppress

import aiosmtplib

from services.notifications.settings import NotificationsSettings


class Unreached(Exception):  # noqa: N818 -- named after its cause
    """The mail server cannot be reached for now."""


class Temporary(Exception):  # noqa: N818 -- named after its cause
    """The email was not accepted for now."""


class Permanent(Exception):  # noqa: N818 -- named after its cause
    """The email will never be accepted."""


class NoAnswer(Exception):  # noqa: N818 -- named after its cause
    """The connection broke after the final dot: the email may have been accepted (RFC 1047)."""


class Connection:
    """One connection to the mail server, opened on demand and kept while it works."""

    def __init__(self, settings: NotificationsSettings) -> None:
        self._settings = settings
        self._client: aiosmtplib.SMTP | None = None

    async def send(self, sender: str, to: str, content: bytes) -> str:
        """Send one email and return the server's reply; raises Unreached, Temporary, Permanent or NoAnswer."""
        kept = self._client is not None
        try:
            return await self._send(await self._connected(), sender, to, content)
        except aiosmtplib.SMTPServerDisconnected as error:
            # A server may close a connection that was idle; nothing was sent over it yet.
            await self.close()
            if not kept:
                raise Unreached(f"connection lost: {error}") from error
            return await self.send(sender, to, content)
        except (Temporary, NoAnswer):
            await self.close()
            raise

    async def _connected(self) -> aiosmtplib.SMTP:
        if self._client is None:
            settings = self._settings
            client = aiosmtplib.SMTP(
                hostname=settings.smtp_host,
                port=settings.smtp_port,
                # Otherwise our own name is looked up, which can take seconds.
                local_hostname=settings.mail_from.rpartition("@")[2],
                username=settings.smtp_user or None,
                password=settings.smtp_password or None,
                use_tls=settings.smtp_security == "tls",
                # Without this the library sends in clear where the server does not offer TLS.
                start_tls=settings.smtp_security == "starttls",
                timeout=settings.smtp_timeout,
            )
            try:
                await client.connect()
            except (aiosmtplib.SMTPException, OSError) as error:
                raise Unreached(f"no connection: {error}") from error
            self._client = client
        return self._client

    async def _send(self, client: aiosmtplib.SMTP, sender: str, to: str, content: bytes) -> str:
        try:
            await client.mail(sender)
            await client.rcpt(to)
        except aiosmtplib.SMTPResponseException as error:
            await self._forget(client)
            # If the server rejects the sender or this client, operators must act; the email waits.
            about_recipient = isinstance(error, aiosmtplib.SMTPRecipientRefused)
            raise _failure(error, permanent=about_recipient) from error
        except aiosmtplib.SMTPTimeoutError as error:
            await self.close()
            raise Unreached(f"no answer in time: {error}") from error
        try:
            reply = await client.data(content)
        except aiosmtplib.SMTPResponseException as error:
            raise _failure(error, permanent=True) from error
        except (aiosmtplib.SMTPServerDisconnected, aiosmtplib.SMTPTimeoutError) as error:
            raise NoAnswer(f"no answer after the email was sent: {error}") from error
        return f"{reply.code} {reply.message}"

    async def _forget(self, client: aiosmtplib.SMTP) -> None:
        with suppress(aiosmtplib.SMTPException):
            await client.rset()

    async def close(self) -> None:
        """Close the connection."""
        client, self._client = self._client, None
        if client is not None:
            client.close()


def _failure(error: aiosmtplib.SMTPResponseException, *, permanent: bool) -> Temporary | Permanent:
    reply = f"{error.code} {error.message}"
    return Permanent(reply) if permanent and error.code >= 500 else Temporary(reply)  # noqa: PLR2004 -- RFC 5321, 4.2.1
