"""The component definition: which capability is there to meet which row.

It says what was built for, not that it works: that is said by the assessment results alone.

Source: OSCAL 1.2.1; ISO/TS 12812-2:2017, 6.2
"""

from collections.abc import Iterable
from typing import Final

from tallystick.process.catalogue.model import Requirement
from tallystick.process.conformance.oscal.blocks import Node, head, prop
from tallystick.process.conformance.oscal.names import (
    control_id,
    line,
    statement_id,
    uuid_of,
)
from tallystick.process.conformance.oscal.picture import Picture

CAPABILITIES: Final = {
    "ADM": "Operators and their roles",
    "AML": "Screening and monitoring of payments",
    "APPD": "Releases of the app",
    "AUD": "Tamper-evident log",
    "AUTH": "Authentication of customers",
    "CAT": "Catalogue, evidence and certificates",
    "CHAN": "Channels and their sessions",
    "CRY": "Mechanisms of cryptography",
    "DEV": "Devices and their attestation",
    "EMON": "Electronic money",
    "ENR": "Enrolment of customers",
    "FRD": "Signals of fraud",
    "GW": "Gateway to other systems",
    "ISMS": "Parties, training and reviews",
    "KMS": "Keys and their life",
    "KYC": "Tiers of identified customers",
    "LEDG": "Ledger",
    "MSG": "Security of messages",
    "NTF": "Receipts, notices and education",
    "OPS": "Deployment and operation",
    "OTA": "Remote management",
    "PIN": "Handling of PINs",
    "PKI": "Certificates of our own",
    "POL": "Policy",
    "PRIV": "Protection of personal data",
    "PROX": "Proximate payments",
    "RISK": "Assessment of risk",
    "SCD": "Cryptographic modules",
    "SDK": "Library for apps",
    "TSMX": "Exchanges with trusted service managers",
    "TXN": "Orders and their consent",
}
"""What the capabilities that rows name are called."""


def component_uuid(code: str) -> str:
    """The UUID of the component that a row calls `code`.

    Source: OSCAL 1.2.1
    """
    return uuid_of("component", code)


def by_component(rows: Iterable[Requirement]) -> dict[str, list[Requirement]]:
    """The rows by the capability that is to meet them, in order of its code.

    Source: ISO/TS 12812-2:2017, 6.2
    """
    found: dict[str, list[Requirement]] = {}
    for row in rows:
        found.setdefault(row.component, []).append(row)
    return dict(sorted(found.items()))


def component_title(code: str) -> str:
    """What the capability `code` is called; the code itself if it has no name yet.

    Source: ISO/TS 12812-2:2017, 6.2
    """
    return CAPABILITIES.get(code, code)


def component_definition(picture: Picture, profile_href: str) -> Node:
    """A component for each capability, with what it is to meet of the profile at `profile_href`.

    Source: OSCAL 1.2.1
    """
    return {
        "uuid": uuid_of("component-definition", picture.version, picture.held.catalogue),
        "metadata": head(picture, f"Capabilities of {picture.tool} {picture.version}"),
        "components": [
            _component(code, rows, profile_href)
            for code, rows in by_component(picture.rows()).items()
        ],
    }


def _component(code: str, rows: list[Requirement], profile_href: str) -> Node:
    title = component_title(code)
    return {
        "uuid": component_uuid(code),
        "type": "software",
        "title": title,
        "description": f"{title}: meant to meet {len(rows)} rows.",
        "props": [prop("code", code)],
        "control-implementations": [
            {
                "uuid": uuid_of("implementation", code),
                "source": profile_href,
                "description": "What is meant to meet each row; whether it does is observed.",
                "implemented-requirements": [_requirement(code, row) for row in rows],
            }
        ],
    }


def _requirement(code: str, row: Requirement) -> Node:
    said = line(row.capability)
    return {
        "uuid": uuid_of("implemented", code, row.id),
        "control-id": control_id(row.id),
        "description": said,
        "statements": [
            {
                "statement-id": statement_id(row.id),
                "uuid": uuid_of("implemented-statement", code, row.id),
                "description": said,
            }
        ],
    }
