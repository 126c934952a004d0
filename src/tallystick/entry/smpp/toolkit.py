"""Orders that SIMs sign: secured packets in and out, as binary messages of the network.

    ask   -> terms -> order shown on the SIM -> PIN, checked by the SIM -> tag -> order -> text
    bind  -> activation code -> the SIM is the customer's

A packet must verify under the key of the SIM that it names, come from the number of that SIM's
customer, and have a counter higher than any before, which is kept before anything is done. The text
that a tag is verified over is made again from the terms, never taken from the SIM.

Source: ISO/TS 12812-2:2017, 7.2.3; 7.2.7; 7.3.3; 11.2.2; ETSI TS 102 225; 3GPP TS 31.115
"""

from collections.abc import Callable
from dataclasses import dataclass

from tallystick.application.channels import AskQuote, Declined, Quoted, refused_in
from tallystick.application.channels.texts import TEXTS, Text
from tallystick.application.commands import Command
from tallystick.application.consent import SimEvidence, SimSigned, consent_of, quote_digest
from tallystick.application.customers import Customer
from tallystick.application.simcommands import BindSim, HearSim, OrderBySim
from tallystick.application.sims import SimState
from tallystick.application.sims.model import SimRow
from tallystick.application.turn import Outcome
from tallystick.entry.assembly import Platform
from tallystick.entry.http.declining import declined_as
from tallystick.entry.http.dialled import DialledActions
from tallystick.entry.smpp.menus import Submit
from tallystick.entry.smpp.pdus import ShortMessage, Status
from tallystick.entry.writing import WriterLoop
from tallystick.infrastructure.crypto.scp80 import (
    ANSWER_HEADER,
    COMMAND_HEADER,
    Packet,
    build_packet,
    claimed,
    open_packet,
)
from tallystick.kernel.codec import b64url, encode_canonical
from tallystick.kernel.errors import (
    Broken,
    Expired,
    Malformed,
    MfsError,
    NotAuthentic,
    NotPermitted,
    Replayed,
)
from tallystick.kernel.secret import Secret
from tallystick.kernel.time import Instant
from tallystick.process.policy import Grade
from tallystick.protocol import toolkit as said
from tallystick.protocol.payments import QuoteReply

_UDHI = 0x40
_SIM_DOWNLOAD = 0x7F
_CLASS_2_BINARY = 0xF6
_CHECK = 8
_HEAD = 16
_MOST = 20_000

Refused = Callable[[str], None]
"""Told why a packet was refused."""


@dataclass(frozen=True, slots=True)
class _Pending:
    """Terms that a SIM shows, and the text that it shows of them."""

    terms: QuoteReply
    text: str


def is_binary(message: ShortMessage) -> bool:
    """Whether `message` has a user data header, as packets of SIMs do.

    Source: 3GPP TS 31.115, 4; SMPP 3.4, 5.2.12
    """
    return bool(message.esm_class & _UDHI)


class SimToolkit:
    """Carries orders between SIMs and the provider over one network.

    Source: ISO/TS 12812-2:2017, 7.2.3; 11.2.2
    """

    def __init__(
        self,
        platform: Platform,
        writer: WriterLoop,
        actions: DialledActions,
        number: str,
        submit: Submit,
        refused: Refused,
    ) -> None:
        """Speak as `number`, the provider's short code.

        Source: ISO/TS 12812-2:2017, 7.2.3
        """
        self._platform = platform
        self._desks = platform.desks
        self._writer = writer
        self._actions = actions
        self._number = number
        self._submit = submit
        self._refused = refused
        self._pending: dict[str, _Pending] = {}

    async def heard(self, message: ShortMessage) -> int:
        """Take one packet over and do what it asks; what it comes to is shown on the SIM.

        A packet that is refused is told to monitoring and answered like one that is taken, so that
        the network does not send it again and a forger learns nothing.
        Source: ISO/TS 12812-2:2017, 7.2.7; 7.3.3
        """
        try:
            row, asked, counter = self._verified(message)
            recorded = await self._ask(HearSim(row.id, counter))
        except Replayed:
            self._refused("replayed")
            return Status.OK
        except MfsError as error:
            self._refused(error.code)
            return Status.OK
        if not isinstance(recorded.reply, said.SimHeard):
            raise Broken("a packet was taken over and something else was answered")
        data = await self._data_for(f"+{message.source}", row, asked)
        if data:
            await self._say(message.source, row, recorded.reply.answer, data)
        return Status.OK

    def _verified(self, message: ShortMessage) -> tuple[SimRow, said.FromSim, int]:
        """The SIM, what it says, and its counter, if the packet is that SIM's.

        Raises Malformed, NotAuthentic, NotFound, NotPermitted.
        """
        octets = message.text.reveal()
        if octets[:3] not in {COMMAND_HEADER, ANSWER_HEADER}:
            raise Malformed("the message carries no packet of a SIM")
        packet = octets[3:]
        if claimed(packet) != (said.SPI, said.TO_PROVIDER):
            raise NotAuthentic("the packet is not protected as it must be")
        row = self._desks.sims.get(
            self._desks.sims.id_of(said.iccid_claimed(packet[_HEAD + _CHECK :]))
        )
        opened = open_packet(packet, lambda octets: self._desks.sims.packet_mac(row, octets))
        asked = said.read_from_sim(opened.data)
        if row.state is SimState.BOUND:
            self._check_holder(row, f"+{message.source}")
        return row, asked, opened.counter

    def _check_holder(self, row: SimRow, msisdn: str) -> None:
        if self._customer(msisdn).id != row.customer:
            raise NotPermitted("the SIM is not of this number")

    def _customer(self, msisdn: str) -> Customer:
        return self._desks.customers.active(self._desks.customers.by_alias(msisdn), asks=True)

    async def _data_for(self, msisdn: str, row: SimRow, asked: said.FromSim) -> bytes:
        """What the SIM is told, empty for nothing."""
        try:
            match asked:
                case said.BindAsked():
                    return await self._bind(msisdn, row, asked)
                case said.QuoteAsked():
                    return await self._quote(msisdn, row, asked)
                case said.Agreed():
                    return await self._decided(msisdn, row, asked)
        except MfsError as error:
            return self._refusal(msisdn, declined_as(error))

    async def _bind(self, msisdn: str, row: SimRow, asked: said.BindAsked) -> bytes:
        customer = self._customer(msisdn)
        await self._actions.network.refresh(customer)
        code = self._desks.access.keyed(customer.activation, asked.code)
        await self._ask(BindSim(row.id, customer.id, customer.activation, code))
        return self._shown(msisdn, Text.SIM_BOUND)

    async def _quote(self, msisdn: str, row: SimRow, asked: said.QuoteAsked) -> bytes:
        self._desks.sims.check_bound(row.id, self._customer(msisdn).id)
        self._pending.pop(row.id, None)
        result = await self._actions.carry_out(
            msisdn,
            AskQuote(kind=asked.kind, payee=asked.payee, amount_minor=asked.amount_minor),
            "",
        )
        if isinstance(result, Declined):
            return self._refusal(msisdn, result)
        if not isinstance(result, Quoted):
            raise Broken("terms were asked for and something else was answered")
        text = said.order_text(result.terms.quote, self._actions.language_of(msisdn))
        self._pending[row.id] = _Pending(result.terms, text)
        while len(self._pending) > _MOST:
            del self._pending[next(iter(self._pending))]
        return said.show_order(quote_digest(result.terms.quote), text)

    async def _decided(self, msisdn: str, row: SimRow, agreed: said.Agreed) -> bytes:
        pending = self._pending.get(row.id)
        if pending is None or quote_digest(pending.terms.quote) != agreed.digest:
            raise Expired("the terms are no longer known", because="ask for the terms again")
        if not agreed.tag:
            del self._pending[row.id]
            return self._shown(msisdn, Text.SIM_CANCELLED)
        message = said.tagged(agreed.iccid, agreed.digest, pending.text)
        self._desks.sims.check_tag(row, message, agreed.tag)
        consent = consent_of(
            pending.terms.quote,
            device="",
            grade=Grade.SIM_SIGNED.value,
            consented_at=self._now(),
        )
        evidence = SimEvidence(iccid=agreed.iccid, text=pending.text, tag=b64url(agreed.tag))
        signed = SimSigned(consent=consent, channel_message=encode_canonical(evidence).decode())
        customer = self._customer(msisdn)
        await self._actions.network.refresh(customer)
        outcome = await self._ask(OrderBySim(row.id, customer.id, signed))
        self._pending.pop(row.id, None)
        return self._shown(msisdn, Text.SIM_DONE, code=self._actions.code_of(outcome.event))

    def _refusal(self, msisdn: str, declined: Declined) -> bytes:
        language, facts = (
            self._actions.language_of(msisdn),
            self._actions.facts(self._now(), msisdn),
        )
        return said.show_text(said.fitting(refused_in(language, declined, facts)))

    def _shown(self, msisdn: str, text: Text, **fields: str) -> bytes:
        words = TEXTS[self._actions.language_of(msisdn)][text].format(**fields)
        return said.show_text(said.fitting(words))

    async def _say(self, msisdn: str, row: SimRow, counter: int, data: bytes) -> None:
        packet = Packet(
            spi=said.SPI,
            kic=said.KIC,
            kid=said.KID,
            tar=said.TO_SIM,
            counter=counter,
            data=data,
        )
        octets = build_packet(packet, lambda octets: self._desks.sims.packet_mac(row, octets))
        await self._submit(
            ShortMessage(
                source=self._number,
                destination=msisdn,
                text=Secret(COMMAND_HEADER + octets),
                esm_class=_UDHI,
                protocol_id=_SIM_DOWNLOAD,
                coding=_CLASS_2_BINARY,
            )
        )

    async def _ask(self, command: Command) -> Outcome:
        recorded = await self._writer.ask(command)
        if isinstance(recorded.outcome.reply, MfsError):
            raise recorded.outcome.reply
        return recorded.outcome

    def _now(self) -> Instant:
        return self._platform.clock.now()
