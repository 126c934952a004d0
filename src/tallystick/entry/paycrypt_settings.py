"""What a provider fixed of its payment cryptography door: FOLDER/paycrypt.json.

The door serves card schemes' PINs in no case while the module is software: `use` says whether this
is a closed loop or a test, where a provider answers for its own PINs.

Source: ISO/TS 12812-2:2017, 7.4.2; 8.2.2; 7.5
"""

from fnmatch import fnmatchcase
from pathlib import Path
from typing import Annotated, Final, Literal

from tallystick.infrastructure.keys.table import KEY_TABLE
from tallystick.infrastructure.modules.card_interface import CONSTRUCTIONS, CardRules
from tallystick.infrastructure.modules.interface import CARD_LENGTHS
from tallystick.infrastructure.modules.interface import Purpose as KeyPurpose
from tallystick.infrastructure.modules.pair_interface import PAIRS_OF
from tallystick.infrastructure.pin.translation import BY_POLICY
from tallystick.infrastructure.pin.verification import DECIMALISATION, check_table
from tallystick.kernel.codec import Decoder
from tallystick.kernel.errors import Malformed, NotFound
from tallystick.kernel.model import Record, pattern
from tallystick.kernel.time import DAY_MS

FILE: Final = "paycrypt.json"
ALL_LEGACY: Final = "all"
MOST_DAYS: Final = 3650

PURPOSES: Final = (
    KeyPurpose.KEY_WRAP, KeyPurpose.PIN_ENCRYPTION, KeyPurpose.PIN_PVV, KeyPurpose.PIN_IBM3624,
    KeyPurpose.DUKPT_BASE, KeyPurpose.DUKPT_INITIAL, KeyPurpose.CARD_VERIFICATION,
    KeyPurpose.CHIP_CRYPTOGRAM, KeyPurpose.CHIP_CONFIDENTIALITY, KeyPurpose.CHIP_INTEGRITY,
    KeyPurpose.CHIP_DYNAMIC, KeyPurpose.CARD_MAC, KeyPurpose.CARD_MAC_RETAIL,
    KeyPurpose.CARD_MAC_CBC, KeyPurpose.DATA_ENCRYPTION, KeyPurpose.LINK_HMAC,
    KeyPurpose.DOOR_CREDENTIAL, KeyPurpose.TOKENISATION, KeyPurpose.SURROGATE,
    *(KeyPurpose(name) for name in PAIRS_OF),
)  # fmt: skip
"""Keys that the module of the door has; it has the roots of no others."""


class Row(Record, frozen=True, kw_only=True):
    """Who may do what with which keys; what no row names is refused.

    `programs` are ids of programs or `*`, `actions` names of calls and `resources` `key/ID`,
    `alias/NAME`, `surrogates/DOMAIN` or `*` for calls that name no key; a star at the end stands
    for any rest. Domains of surrogates are meant only where a row says `surrogates/`.
    Source: ISO/TS 12812-2:2017, 7.5
    """

    programs: tuple[str, ...]
    actions: tuple[str, ...]
    resources: tuple[str, ...]


class Cryptoperiod(Record, frozen=True, kw_only=True):
    """For how many `days` (1 to 3650) a key of the door with this `purpose` protects anything.

    Source: ISO/TS 12812-2:2017, 7.4.2; ISO 11568
    """

    purpose: str
    days: int


class PaycryptSettings(Record, frozen=True, kw_only=True):
    """What is fixed of the door.

    `legacy` names restricted mechanisms that are let in, or `all`; `weaker_formats` lets PINs go to
    formats that protect less. `rate`, `control_rate` and `asymmetric_rate` (of the data plane,
    those with pairs) are calls a second of one program. `cryptoperiods` take the place of
    the key table's for keys that are entered later. `without_lists` has SHA-256 (hex) of the
    certificates of partners' authorities that publish no lists of what they revoked, as declared.
    Source: ISO/TS 12812-2:2017, 7.4.2; 8.2.2
    """

    v: Literal[1]
    use: Literal["card-scheme", "closed-loop", "test"]
    rows: tuple[Row, ...]
    region: Annotated[str, pattern("^[a-z]{2}-[a-z]{1,16}-[0-9]{1,2}$")] = "us-east-1"
    account: Annotated[str, pattern("^[0-9]{12}$")] = "000000000000"
    legacy: tuple[str, ...] = ()
    weaker_formats: bool = False
    writes_version_b: bool = False
    decimalisation: str = DECIMALISATION
    rate: int = 500
    control_rate: int = 5
    asymmetric_rate: int = 20
    cryptoperiods: tuple[Cryptoperiod, ...] = ()
    without_lists: tuple[Annotated[str, pattern("^[0-9a-f]{64}$")], ...] = ()

    def rules(self) -> CardRules:
        """What the module of the door does beyond what is approved.

        Source: ISO/TS 12812-2:2017, 8.2.2; C
        """
        known = frozenset({*CONSTRUCTIONS, *CARD_LENGTHS})
        return CardRules(
            admitted=known if ALL_LEGACY in self.legacy else frozenset(self.legacy) & known,
            translations=BY_POLICY if self.weaker_formats else frozenset(),
            pins_in_software=self.use != "card-scheme",
            writes_version_b=self.writes_version_b,
            decimalisation=self.decimalisation,
        )

    def period_ms(self, purpose: KeyPurpose) -> int:
        """How long a key of the door protects anything, in ms; 0 where what it protects decides.

        Source: ISO/TS 12812-2:2017, 7.4.2; ISO 11568
        """
        fixed = [one.days for one in self.cryptoperiods if one.purpose == purpose.value]
        return fixed[-1] * DAY_MS if fixed else KEY_TABLE[purpose].max_life_ms

    def allows(self, program: str, action: str, resource: str) -> bool:
        """Whether a row lets `program` do `action` with `resource`.

        Source: ISO/TS 12812-2:2017, 7.5
        """
        return any(
            _any(row.programs, program)
            and _any(row.actions, action)
            and _any(_meant(row.resources, resource), resource)
            for row in self.rows
        )

    @property
    def arn_head(self) -> str:
        """What every ARN of this door begins with.

        Source: AWS Payment Cryptography API
        """
        return f"arn:aws:payment-cryptography:{self.region}:{self.account}:"


_settings = Decoder(PaycryptSettings, limit=1024 * 1024, file=FILE)


def paycrypt_settings(folder: Path) -> PaycryptSettings | None:
    """The settings of the door in a provider's folder, or None where there is no such door.

    Raises Malformed for a file of another form.
    Source: ISO/TS 12812-2:2017, 7.4.2
    """
    try:
        octets = (folder / FILE).read_bytes()
    except FileNotFoundError:
        return None
    found = _settings.decode(octets)
    check_table(found.decimalisation)
    if min(found.rate, found.control_rate, found.asymmetric_rate) < 1:
        raise Malformed("the rates of the door are positive", remedy=f"correct {FILE}")
    for one in found.cryptoperiods:
        if one.purpose not in PURPOSES or not 1 <= one.days <= MOST_DAYS:
            raise Malformed(
                f"{one.purpose[:40]!r} for {one.days} days is no cryptoperiod of a key of the door",
                remedy=f"name purposes of the key table, and 1 to {MOST_DAYS} days, in {FILE}",
            )
    return found


def must_have(folder: Path) -> PaycryptSettings:
    """The settings of the door; raises NotFound where there are none.

    Source: ISO/TS 12812-2:2017, 7.4.2
    """
    found = paycrypt_settings(folder)
    if found is None:
        raise NotFound(f"there is no {FILE} in {folder}", remedy="write one, as the how-to shows")
    return found


def _any(patterns: tuple[str, ...], text: str) -> bool:
    for one in patterns:
        if one in {"*", text}:
            return True
        if one.endswith("*") and "*" not in one[:-1] and fnmatchcase(text, one):
            return True
    return False


def _meant(resources: tuple[str, ...], resource: str) -> tuple[str, ...]:
    """The resources of a row that speak of this sort: a bare star says nothing of surrogates."""
    if not resource.startswith(_SURROGATES):
        return resources
    return tuple(one for one in resources if one.startswith(_SURROGATES))


_SURROGATES: Final = "surrogates/"
