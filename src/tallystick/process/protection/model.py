"""What a profile says: problem, objectives, requirements, and which of them lead to which.

Names follow the custom of evaluators: T for threats, P for rules that must be kept, A for what is
assumed, O for objectives of the service, OE for those of what is around it.

Source: ISO/IEC 15408-1, B
"""

from tallystick.kernel.model import Record


class ProtectedAsset(Record, frozen=True, kw_only=True):
    """Something of value, and what the loss of its three properties would mean (1 to 5).

    Source: ISO/IEC 15408-1, B; ISO/TS 12812-2:2017, A
    """

    id: str
    kind: str
    confidentiality: int
    integrity: int
    availability: int
    kept_at: tuple[str, ...]
    personal: bool


class ThreatAgent(Record, frozen=True, kw_only=True):
    """Who attacks, and with what.

    Source: ISO/IEC 15408-1, B; ISO/TS 12812-2:2017, 3.3
    """

    id: str
    motivation: str
    expertise: str
    knowledge: str
    equipment: str


class FacedThreat(Record, frozen=True, kw_only=True):
    """A threat where it arises: at how many places, against which assets, what must resist it.

    `enough` counts the places at which the objectives are enough, `unserved` those of telephones
    that get no service. `required` is the strength of the most demanding asset.
    Source: ISO/IEC 15408-1, B; ISO/IEC 18045, B.4
    """

    id: str
    catalogued: str
    says: str
    assets: tuple[str, ...]
    places: int
    enough: int
    unserved: int
    required: str
    objectives: tuple[str, ...]


class KeptRule(Record, frozen=True, kw_only=True):
    """A rule that must be kept whatever the risk: a row of the minimum set, or a regime.

    Source: ISO/IEC 15408-1, B; ISO/TS 12812-2:2017, 7.3.1
    """

    id: str
    says: str
    objectives: tuple[str, ...]


class Assumed(Record, frozen=True, kw_only=True):
    """What is taken for granted of what is around the service, and who upholds it.

    Source: ISO/IEC 15408-1, B
    """

    id: str
    says: str
    objective: str


class Objective(Record, frozen=True, kw_only=True):
    """What is aimed at: by the service (O), or by what is around it (OE); and the rows for it.

    Source: ISO/IEC 15408-1, B
    """

    id: str
    says: str
    of_service: bool
    requirements: tuple[str, ...]


class AskedRow(Record, frozen=True, kw_only=True):
    """A row of the catalogue that an objective takes, and how it is verified.

    Source: ISO/IEC 15408-1, B; ISO/TS 12812-2:2017, 9.1
    """

    id: str
    modality: str
    says: str
    verified: tuple[str, ...]


class ProtectionProfile(Record, frozen=True, kw_only=True):
    """The whole profile; `rows` counts what applies, of which `requirements` serve an objective.

    Digests are SHA-256 in hex.
    Source: ISO/IEC 15408-1, B
    """

    v: int = 1
    programme: str
    owner: str
    programme_digest: str
    pack: str
    pack_digest: str
    services: tuple[str, ...]
    parts: tuple[str, ...]
    devices: tuple[str, ...]
    assets: tuple[ProtectedAsset, ...]
    agents: tuple[ThreatAgent, ...]
    threats: tuple[FacedThreat, ...]
    rules: tuple[KeptRule, ...]
    assumptions: tuple[Assumed, ...]
    objectives: tuple[Objective, ...]
    requirements: tuple[AskedRow, ...]
    rows: int
