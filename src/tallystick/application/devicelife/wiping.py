"""The wipe of a device that ended: a signed order, and a signed word that it was done.

    ordered -> fetched by the phone -> confirmed by the last signature of its possession key

An order that nobody confirms changes nothing: the keys are denied either way. A confirmation is the
phone's word, not a proof.

Source: ISO/TS 12812-2:2017, 7.4.2; 7.4.5
"""

from dataclasses import dataclass

from tallystick.application.devicelife.service import DeviceLife
from tallystick.application.devicelife.store import Wipe
from tallystick.application.turn import Outcome, Turn
from tallystick.infrastructure.crypto.jws import sign_compact, split_under
from tallystick.infrastructure.crypto.signature import Es256VerifyKey, SigningNow
from tallystick.kernel.codec import Decoder, b64url, encode_canonical
from tallystick.kernel.errors import Conflict, Expired, NotAuthentic, NotFound
from tallystick.kernel.time import MINUTE_MS, Instant
from tallystick.protocol.devicelife import (
    SignedWipe,
    WipeOrder,
    WipeReply,
    WipeWord,
    wipe_order_header,
    wipe_word_header,
)

WORD_FOR_MS = 5 * MINUTE_MS
"""How far the moment of a word may be from that of its arrival, before or after."""

_words = Decoder(WipeWord, limit=512)


@dataclass(frozen=True, slots=True)
class HearWipe:
    """What a phone said about its wipe; its signature was right.

    Source: ISO/TS 12812-2:2017, 7.4.5
    """

    word: WipeWord


class Wiping:
    """Gives orders to phones whose keys are denied, and hears that they obeyed.

    Source: ISO/TS 12812-2:2017, 7.4.5
    """

    def __init__(self, life: DeviceLife, signing: SigningNow) -> None:
        """Sign each order with the key that `signing` gives at that moment.

        Source: ISO/TS 12812-2:2017, 7.4.2
        """
        self._life = life
        self._signing = signing

    def verify(self, signed: SignedWipe, now: Instant) -> WipeWord:
        """The word of a device, verified with the key that it once had.

        Raises NotAuthentic alike for an unknown device, one that was erased, and a signature that
        is not its own; Expired for a word of another time.
        Source: ISO/TS 12812-2:2017, 7.2.7; 7.4.5
        """
        try:
            point = self._life.devices.get(signed.device).possession
        except NotFound as error:
            raise _not_its_word() from error
        header = b64url(wipe_word_header(signed.device))
        payload, signature, signing_input = split_under(signed.word, header)
        if len(point) != _POINT:
            raise _not_its_word()
        Es256VerifyKey(point).verify(signature, signing_input)
        word = _words.decode_canonical(payload)
        if word.device != signed.device:
            raise _not_its_word()
        if abs(now - word.at) > WORD_FOR_MS:
            raise Expired("this was signed at another time", remedy="sign it again")
        return word

    def hear(self, turn: Turn, word: WipeWord) -> Outcome:
        """Give the order that was asked for, or keep that it was carried out.

        Raises Conflict for a device that has no order and for a word about another order.
        Source: ISO/TS 12812-2:2017, 7.4.5
        """
        device = self._life.devices.get(word.device)
        row = self._life.row(device)
        if row.wipe is Wipe.NONE:
            raise Conflict("no wipe of this device is ordered", remedy="leave the keys as they are")
        if word.does == "ask":
            self._life.wiped(turn, device, Wipe.FETCHED)
            return Outcome(WipeReply(order=self._order(turn, word.device, row.wipe_order)))
        if word.order != row.wipe_order:
            raise Conflict("this is another order", remedy="ask for the order again")
        return Outcome(WipeReply(order=""), self._life.wiped(turn, device, Wipe.CONFIRMED))

    def _order(self, turn: Turn, device: str, order: str) -> str:
        says = WipeOrder(provider=turn.provider, device=device, order=order, at=turn.now)
        signer, kid = self._signing()
        header = wipe_order_header(signer.algorithm, kid)
        return sign_compact(signer, header, encode_canonical(says))


_POINT = 65


def _not_its_word() -> NotAuthentic:
    return NotAuthentic("this is not the word of that device")
