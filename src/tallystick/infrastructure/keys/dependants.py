"""What hangs on the keys of each purpose, and what is done about it when one is not to be trusted.

Source: ISO/TS 12812-2:2017, 7.4.2; ISO 11568; NIST SP 800-57-1, 5.5
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from tallystick.infrastructure.keys.table import KEY_TABLE
from tallystick.infrastructure.modules.interface import Purpose
from tallystick.kernel.model import Record


class Dependant(Record, frozen=True, kw_only=True):
    """Something that is worth no more than a key, and the recourse if the key is lost to others.

    Source: ISO/TS 12812-2:2017, 7.4.2
    """

    what: str
    recourse: str


_P = Purpose
_NEW_LIST = "sign a list with successors: tallystick keys renew"

_HANGS: Final[Mapping[Purpose, tuple[tuple[str, str], ...]]] = MappingProxyType(
    {
        _P.PROVIDER_ROOT: (
            ("the signed key list and every wallet that pins the root", "ship wallets anew"),
        ),
        _P.OFFICER: (("signatures under policies", "change the officer's public half"),),
        _P.SESSION_SIGNATURE: (("handshakes of new sessions", _NEW_LIST),),
        _P.DEVICE_CA: (
            ("certificates of enrolled devices", "certify anew what was enrolled in doubt"),
        ),
        _P.TALLY: (
            ("checkpoints and receipts", "compare with witnesses; a list with a successor"),
        ),
        _P.TIME_STAMP: (("stamps of the time", "revoke its certificate; stamp anew"),),
        _P.WITNESS: (("countersignatures", "the witness publishes another key"),),
        _P.WEBHOOK: (("signatures of events to partners", "partners fetch the new half"),),
        _P.QUOTE: (("quotes that are open", "suspend it, and start the service again"),),
        _P.RECEIPT_CODE: (("codes on receipts", "receipts are proved by the log instead"),),
        _P.ACTIVATION: (("activation codes on their way", "issue them anew"),),
        _P.PIN_PEPPER: (("verifiers of PINs", "PINs are set anew"),),
        _P.ALIAS_INDEX: (("the index of telephone numbers", "index the numbers anew"),),
        _P.SUBJECT: (("one person's data and commitments", "erase, or seal anew"),),
        _P.SUBJECT_WRAP: (
            ("the keys of subjects that it wraps", "wrap them under a successor: crypto rewrap"),
        ),
        _P.SESSION_WRAP: (("sessions of this start", "start the service again"),),
        _P.STORE: (("sealed columns of the record", "seal the columns anew"),),
        _P.TIGHTENING: (("signatures under tightenings", _NEW_LIST),),
        _P.PARTNER_LINK: (("secrets shared with partners", "another generation of each link"),),
        _P.OTP_SEED: (("one customer's authenticator", "enrol another one"),),
        _P.OTP_TRANSPORT: (("seeds that are on their way", "makers seal to a new key"),),
        _P.CERTIFICATE_ROOT: (("every certificate", "make the hierarchy anew"),),
        _P.CERTIFICATE_ISSUER: (
            ("certificates of its authority", "revoke the issuer; issue them anew"),
        ),
        _P.OCSP_RESPONDER: (("answers about one authority", "issue another responder"),),
        _P.KEY_WRAP: (("keys exchanged with one partner", "exchange all of them anew"),),
        _P.PIN_ENCRYPTION: (("PIN blocks on one link", "exchange the key of the link anew"),),
        _P.PIN_PVV: (("verification values of PINs", "PINs are set anew"),),
        _P.PIN_IBM3624: (("offsets of PINs", "PINs are set anew"),),
        _P.PIN_REFERENCE: (("references of PINs", "PINs are set anew"),),
        _P.DUKPT_BASE: (("every terminal of a fleet", "load initial keys anew"),),
        _P.DUKPT_INITIAL: (("one terminal", "load its initial key anew"),),
        _P.CARD_VERIFICATION: (("values on cards", "issue the cards anew"),),
        _P.CHIP_CRYPTOGRAM: (("cryptograms of chips", "issue the cards anew"),),
        _P.CHIP_CONFIDENTIALITY: (("scripts to chips", "issue the cards anew"),),
        _P.CHIP_INTEGRITY: (("scripts to chips", "issue the cards anew"),),
        _P.CHIP_DYNAMIC: (("dynamic codes of chips", "issue the cards anew"),),
        _P.CARD_MAC: (("messages on one link", "exchange the key of the link anew"),),
        _P.CARD_MAC_RETAIL: (("messages on one link", "exchange the key of the link anew"),),
        _P.CARD_MAC_CBC: (("messages on one link", "exchange the key of the link anew"),),
        _P.TOKENISATION: (
            ("surrogates of one domain by FF1", "give it new keys; renew every surrogate"),
        ),
        _P.SURROGATE: (
            ("values held in one domain", "give the domain new keys; what is held moves to them"),
        ),
        _P.SIM_PACKET: (("packets of one SIM", "provision another SIM"),),
        _P.SIM_ORDER: (("orders of one SIM", "provision another SIM"),),
        _P.DIALLED_PIN: (("PINs on their way inside", "start the service again"),),
        _P.DATA_ENCRYPTION: (("data on one link", "exchange the key of the link anew"),),
        _P.LINK_HMAC: (("messages on one link", "exchange the key of the link anew"),),
        _P.DOOR_CREDENTIAL: (("secrets of programs at the door", "write each of them anew"),),
        _P.PAIR_DATA: (("data enciphered to the pair", "make a pair; ask senders to use it"),),
        _P.PAIR_TRANSPORT: (
            ("keys that partners sent under the pair", "make a pair; exchange each key anew"),
        ),
        _P.PAIR_SIGNATURE: (
            ("keys that left under its signature", "tell each partner; make a pair, certify it"),
        ),
        _P.PAIR_AGREEMENT: (
            ("keys agreed on with the pair", "make a pair; agree with each partner anew"),
        ),
        _P.PARTNER_CERTIFICATE: (
            ("keys that go to the partner", "bring in the partner's new certificate"),
        ),
        _P.DOOR_AUTHORITY: (
            ("certificates of the door's pairs", "give partners the new root; make pairs anew"),
        ),
        _P.APP_SIGNING: (("manifests of applications", "sign them anew with a successor"),),
    }
)


def dependants(purpose: Purpose) -> tuple[Dependant, ...]:
    """What hangs on a key of `purpose`, keys that it vouches for first.

    Source: ISO/TS 12812-2:2017, 7.4.2
    """
    vouched = tuple(
        Dependant(what=f"{one.value} keys, which it vouches for", recourse=_NEW_LIST)
        for one, rule in KEY_TABLE.items()
        if purpose in rule.vouched_by
    )
    hanging = (Dependant(what=what, recourse=recourse) for what, recourse in _HANGS[purpose])
    return (*vouched, *hanging)
