"""An email on its way, as the tests of its delivery need it."""

from datetime import UTC, datetime

from services.notifications.domain.deliveries import Delivery
from services.notifications.domain.emails import Text

NOW = datetime(2023, 1, 27, 10, 30, tzinfo=UTC)
DELIVERY = Delivery(
    id="0123456789abcdef0123456789abcdef",
    event_id="event",
    event_type="membership.member_joined.v1",
    template="member_welcome",
    contact_id="municipality-14626480",
    office="Stadtverwaltung Rothenburg/O.L.",
    to="rathaus@rothenburg-o-l.example",
    text=Text(subject="Willkommen: Stadt Rothenburg/O.L. für Sie", plain="Grüße\n", html="<p>Grüße</p>\n"),
    message_id="<0123456789abcdef0123456789abcdef@asskomm.example>",
    created_at=NOW,
    due_at=NOW,
)
