"""A bound network beside the service: menus in, notices out, receipts kept.

    deliver_sm -> receipt?  -> notice's state
               -> toolkit?  -> orders that SIMs signed
               -> else      -> menu -> submit_sm

Source: ISO/TS 12812-2:2017, 7.2.3; 7.2.7; SMPP 3.4, 2
"""

from collections.abc import Coroutine
from typing import Any

from tallystick.application.own_commands import NoticeReceipt
from tallystick.entry.accounting import Accounting
from tallystick.entry.assembly import Platform
from tallystick.entry.binds import check_bind, open_password
from tallystick.entry.http.dialled import DialledActions
from tallystick.entry.http.takingup import TakingUp
from tallystick.entry.notes import Note
from tallystick.entry.partner_settings import SmppBind
from tallystick.entry.smpp.carrier import SmppCarrier, is_receipt
from tallystick.entry.smpp.keeping import KeptLink, Patience
from tallystick.entry.smpp.menus import SmppMenus
from tallystick.entry.smpp.pdus import ShortMessage, Status
from tallystick.entry.smpp.toolkit import SimToolkit, is_binary
from tallystick.entry.writing import WriterLoop
from tallystick.infrastructure.modules.interface import Purpose
from tallystick.kernel.errors import MfsError
from tallystick.protocol.channels import SmsReceipt, SmsState


class SmppService:
    """One network: its session, menus, notices and receipts.

    Source: ISO/TS 12812-2:2017, 7.2.3
    """

    def __init__(
        self,
        platform: Platform,
        writer: WriterLoop,
        actions: DialledActions,
        accounting: Accounting,
        bind: SmppBind,
        patience: Patience | None = None,
    ) -> None:
        """Serve the network of `bind`.

        Raises what `check_bind` and `open_password` raise.
        Source: ISO/TS 12812-2:2017, 7.2.3
        """
        check_bind(bind)
        self._platform = platform
        self._writer = writer
        self._accounting = accounting
        self.bind = bind
        store = platform.keys.newest(Purpose.STORE)
        password = open_password(platform.module, store, bind)
        self.link = KeptLink(
            *(bind, password, self._heard, self._late, platform.module.random),
            patience or Patience(),
        )
        self.link.told = lambda why: accounting.note(Note.NETWORK_GONE, network=bind.name, why=why)
        self.carrier = SmppCarrier(bind.number, self.link, self._told, self._find, platform.clock)
        self._menus = SmppMenus(
            *(bind.name, bind.service_code, actions, TakingUp(platform, actions)),
            *(platform.clock, self.link.submit),
            lambda why: accounting.note(Note.DIALOGUE_BROKEN, aggregator=bind.name, why=why),
        )
        self._toolkit = SimToolkit(
            *(platform, writer, actions, bind.number, self.link.submit),
            lambda why: accounting.note(Note.SIM_REFUSED, network=bind.name, why=why),
        )

    def duties(self) -> list[Coroutine[Any, Any, None]]:
        """What goes on for ever.

        Source: ISO/TS 12812-2:2017, 6.2.3
        """
        return [self.link.run()]

    async def _heard(self, message: ShortMessage) -> int:
        if is_receipt(message):
            return await self.carrier.receipt(message)
        if is_binary(message):
            return await self._toolkit.heard(message)
        if self.bind.service_code:
            return await self._menus.heard(message)
        return Status.REJECTED

    def _late(self, reference: str, identifier: str) -> None:
        self.carrier.late(reference, identifier)

    async def _told(self, receipt: SmsReceipt) -> None:
        recorded = await self._writer.ask(NoticeReceipt(receipt))
        reply = recorded.outcome.reply
        if isinstance(reply, MfsError):
            raise reply
        if receipt.state is not SmsState.DELIVERED:
            self._accounting.note(Note.NOTICE_REJECTED, why=receipt.state.value)

    def _find(self, reference: int, number: str) -> str:
        """The newest notice with this reference, if it went to this number."""
        notice = self._platform.notices.newest_with(reference, 65536)
        if notice is None:
            return ""
        customers = self._platform.desks.customers
        try:
            profile = customers.profile(customers.get(notice.customer))
        except MfsError:
            return ""
        return f"notice-{notice.seq}" if profile.msisdn == number else ""
