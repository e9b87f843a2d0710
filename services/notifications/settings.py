"""The settings of notifications."""

from dataclasses import field
from typing import Annotated, Literal

from shared.kernel.value import value
from shared.runtime.settings import Settings


@value
class NotificationsSettings(Settings):
    """The settings of notifications, which add the mail server and the sender."""

    smtp_host: Annotated[str, "mail server"] = "127.0.0.1"
    smtp_port: Annotated[int, "its port"] = 25
    smtp_user: Annotated[str, "user at the mail server; empty for none"] = ""
    smtp_password: Annotated[str, "password at the mail server"] = field(default="", repr=False)
    smtp_security: Annotated[
        Literal["starttls", "tls", "none"], "starttls, tls, or none for a mail sink within the same network"
    ] = "starttls"
    smtp_timeout: Annotated[float, "seconds that it may take to answer"] = 5.0
    mail_from: Annotated[str, "sender of all emails"] = "allianz@asskomm.example"
