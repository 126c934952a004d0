"""Which payments a suspension covers, and what is never suspended."""

from itertools import product

import pytest

from tallystick.application.suspensions import ALL, SuspendedServices, Suspension
from tallystick.application.suspensions.store import MIGRATION, SUSPENSION
from tallystick.infrastructure.store.changes import ChangeSet
from tallystick.infrastructure.store.database import batch
from tallystick.infrastructure.store.migrations import migrate
from tallystick.infrastructure.store.opening import Place, open_database
from tallystick.kernel.errors import ServiceSuspended
from tallystick.kernel.model import replace, row_of
from tallystick.process.policy.facts import Channel, Kind

ROW = Suspension(
    id="ssp_1", kind="p2p", channel="ussd", because="a bad night", since=5, begun_by="opr_1",
    ended_at=0, ended_by="",
)  # fmt: skip


@pytest.mark.parametrize(("kind", "channel"), list(product(("p2p", ALL), ("ussd", ALL))))
def test_a_suspension_covers_its_words_and_all_covers_every_one(kind: str, channel: str) -> None:
    row = replace(ROW, kind=kind, channel=channel)
    for asked, through in product(Kind, Channel):
        covered = kind in {ALL, asked.value} and channel in {ALL, through.value}
        assert row.covers(asked.value, through.value) is covered


def test_what_is_in_force_is_loaded_and_operators_are_never_refused(place: Place) -> None:
    database = open_database(place)
    try:
        migrate(database, (MIGRATION,), 1)
        changes = ChangeSet()
        everything = replace(ROW, id="ssp_2", kind=ALL, channel=ALL, since=6)
        ended = replace(ROW, id="ssp_0", kind="salary", ended_at=7, ended_by="opr_1,opr_2")
        for row in (ROW, everything, ended):
            changes.upsert(SUSPENSION, row.id, row_of(row))
        with batch(database):
            changes.flush(database)
        with database.reader() as reader:
            services = SuspendedServices(reader)
            services.check("p2p", "ussd")
            services.load()
            assert services.current == (ROW, everything)
            with pytest.raises(ServiceSuspended) as found:
                services.check("p2p", "ussd")
            assert found.value.because == "a bad night"
            with pytest.raises(ServiceSuspended):
                services.check("merchant", "app")
            for kind in Kind:
                services.check(kind.value, Channel.OPERATOR.value)
            assert not services.is_closed(Channel.USSD), "every kind by every way is no closed menu"
            services.check_channel(Channel.USSD)
    finally:
        database.close()
