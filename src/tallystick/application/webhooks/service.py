"""The webhooks that the writer owns.

Source: ISO/TS 12812-2:2017, 11.2.3
"""

from tallystick.application.turn import Outcome, Turn
from tallystick.application.webhooks.model import Delivery, WebhookRow
from tallystick.application.webhooks.store import WEBHOOK, due_webhooks
from tallystick.infrastructure.store.database import Reader
from tallystick.infrastructure.tally.leaf import decode_leaf
from tallystick.infrastructure.tally.store import TallyStore
from tallystick.kernel.errors import Malformed
from tallystick.kernel.model import replace, row_of
from tallystick.kernel.time import HOUR_MS, SECOND_MS
from tallystick.protocol.payments import Empty

_LOOK_AHEAD = 256
_MOST_KINDS = 20


class Webhooks:
    """Keeps where events go and how far they have gone.

    Source: ISO/TS 12812-2:2017, 11.2.3
    """

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._tally = TallyStore(reader)

    def add(self, turn: Turn, url: str, kinds: tuple[str, ...]) -> str:
        """Deliver the events of `kinds` (all if empty) to `url` from now on; gives the webhook's
        id.

        Raises Malformed for a bare http address beyond loopback.
        Source: ISO/TS 12812-2:2017, 11.2.3; 7.2.3
        """
        if url.startswith("http://") and not _is_loopback(url):
            raise Malformed("events leave over https only", remedy="use an https address")
        if len(kinds) > _MOST_KINDS or any("," in kind for kind in kinds):
            raise Malformed(f"at most {_MOST_KINDS} kinds, without commas")
        row = WebhookRow(
            id=turn.new_id("whk"),
            url=url,
            kinds=",".join(kinds),
            cursor=turn.next_event(),
            failures=0,
            due_at=turn.now,
        )
        turn.changes.upsert(WEBHOOK, row.id, row_of(row))
        return row.id

    def due(self, now: int, signed: int) -> list[Delivery]:
        """For each webhook whose time has come, the next event it wants below index `signed`.

        Source: ISO/TS 12812-2:2017, 11.2.3
        """
        found: list[Delivery] = []
        for webhook in due_webhooks(self._reader, now):
            end = min(signed, webhook.cursor + _LOOK_AHEAD)
            for index, leaf, _ in self._tally.leaves(webhook.cursor, end):
                if webhook.wants(decode_leaf(leaf).kind):
                    found.append(Delivery(webhook, index, leaf))
                    break
            else:
                if end > webhook.cursor:
                    found.append(Delivery(webhook, end - 1, None))
        return found

    def tried(self, turn: Turn, delivery: Delivery, *, delivered: bool) -> Outcome:
        """Move the cursor past a delivered event, or wait longer after a failure, up to an hour.

        Source: ISO/TS 12812-2:2017, 11.2.3
        """
        webhook = delivery.webhook
        if delivered:
            kept = replace(webhook, cursor=delivery.index + 1, failures=0, due_at=turn.now)
        else:
            failures = webhook.failures + 1
            wait = min(HOUR_MS, SECOND_MS << min(failures, 20))
            kept = replace(webhook, failures=failures, due_at=turn.now + wait)
        turn.changes.upsert(WEBHOOK, kept.id, row_of(kept))
        return Outcome(Empty())


def _is_loopback(url: str) -> bool:
    rest = url.removeprefix("http://")
    return rest.startswith(("127.0.0.1:", "127.0.0.1/", "localhost:", "localhost/", "[::1]"))
