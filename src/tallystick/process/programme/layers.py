"""Which protection a flow has on which layer of the reference model, out of what its entry says.

    7 application    sealed or signed orders, seen in clear by the ends only
    6 presentation   sealed columns, shares of a key
    5 session        mutual proof of both ends
    4 transport      TLS
    2 link           what a network or a medium does by itself, believed no further than that
    3, 1             nothing of the programme's own; the route and the cable belong to others

A protocol is what the programme calls it: words joined by `+`. A word that is not known protects
nothing here, and is shown.

Source: ISO/TS 12812-2:2017, 7.1; 7.2.3; ISO/IEC 7498-1, 6
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from tallystick.kernel.model import Record
from tallystick.process.programme.model import FlowEntry, Programme
from tallystick.process.programme.words import Bearer

LAYERS: Final[Mapping[int, str]] = MappingProxyType(
    {
        7: "application",
        6: "presentation",
        5: "session",
        4: "transport",
        3: "network",
        2: "link",
        1: "physical",
    }
)

_BY_WORD: Final[Mapping[str, tuple[tuple[int, str], ...]]] = MappingProxyType(
    {
        "tls1.3": ((4, "TLS 1.3, server proven"),),
        "tls1.3-mutual": ((5, "both ends proven"), (4, "TLS 1.3")),
        "sealed": ((7, "sealed between its ends"), (5, "both ends proven")),
        "signed": ((7, "signed by its source"),),
        "signed-by-gateway": ((7, "signed by the gateway"),),
        "scp80-checked": ((7, "checked by the SIM and the provider"),),
        "sealed-columns": ((6, "sealed before it rests"),),
        "shares": ((6, "split into shares"),),
        "rfc3161": ((7, "signed by the authority"),),
        "pkcs11": ((5, "session of the module"),),
        "emv": ((7, "cryptogram of the credential"),),
    }
)
_BY_BEARER: Final[Mapping[Bearer, str]] = MappingProxyType(
    {
        Bearer.CELLULAR: "radio encryption of the network",
        Bearer.USSD: "radio encryption of the network",
        Bearer.SMS: "radio encryption of the network",
        Bearer.STK: "radio encryption of the network",
        Bearer.OTA: "secured packets of the network",
        Bearer.BLUETOOTH: "pairing",
    }
)
_PLAIN: Final = "none"


class LayerRow(Record, frozen=True, kw_only=True):
    """One flow: what protects it on each layer, what nothing protects, and who sees it in clear.

    `layers` has the layers 7 to 1 that protect; `between` are those that read it and are no end.
    Source: ISO/TS 12812-2:2017, 7.1; 7.2.3
    """

    flow: str
    carries: tuple[str, ...]
    bearer: str
    layers: Mapping[int, str]
    between: tuple[str, ...]
    unknown: tuple[str, ...]

    @property
    def gap(self) -> str:
        """What an auditor should ask about; empty where both halves protect it between its ends.

        Source: ISO/TS 12812-2:2017, 7.2.3
        """
        lacks: list[str] = []
        if not self.layers.keys() & {5, 6, 7}:
            lacks.append("nothing on layers 5 to 7")
        if not self.layers.keys() & {2, 3, 4}:
            lacks.append("nothing on layers 2 to 4")
        if self.between:
            lacks.append(f"seen in clear by {', '.join(self.between)}")
        return "; ".join(lacks)


def layer_rows(programme: Programme) -> tuple[LayerRow, ...]:
    """A row for each flow of `programme`, in the order of the text.

    Source: ISO/TS 12812-2:2017, 7.1; 7.2.3
    """
    return tuple(_row(flow) for flow in programme.flows.values())


def layer_table(programme: Programme) -> tuple[tuple[str, ...], list[tuple[str, ...]]]:
    """The same as head and rows of texts, a column for each layer.

    Source: ISO/TS 12812-2:2017, 7.1
    """
    head = (
        "flow", "carries", "bearer", *(f"{number} {name}" for number, name in LAYERS.items()), "gap"
    )  # fmt: skip
    rows = [
        (
            one.flow,
            ", ".join(one.carries),
            one.bearer,
            *(one.layers.get(number, "") for number in LAYERS),
            one.gap,
        )
        for one in layer_rows(programme)
    ]
    return head, rows


def _row(flow: FlowEntry) -> LayerRow:
    layers: dict[int, str] = {}
    unknown: list[str] = []
    if flow.bearer in _BY_BEARER:
        layers[2] = _BY_BEARER[flow.bearer]
    for word in flow.protocol.split("+"):
        if word not in _BY_WORD and word != _PLAIN:
            unknown.append(word)
        layers |= dict(_BY_WORD.get(word, ()))
    ends = {flow.source, flow.target}
    return LayerRow(
        flow=flow.id,
        carries=flow.carries,
        bearer=flow.bearer.value,
        layers=MappingProxyType({number: layers[number] for number in LAYERS if number in layers}),
        between=tuple(one for one in flow.reads if one not in ends),
        unknown=tuple(unknown),
    )
