"""The fields of operators' acts as options of the command line.

Source: ISO/TS 12812-2:2017, 6.2.1
"""

import inspect
import re
from pathlib import Path
from typing import Any, get_type_hints

import click

from tallystick.application.operators.service import code_hash
from tallystick.entry.setup import one_time_code
from tallystick.kernel.codec import from_plain
from tallystick.kernel.errors import Malformed
from tallystick.kernel.model import Wire
from tallystick.kernel.money import Money
from tallystick.kernel.secret import Secret

_URL = "http://127.0.0.1:8480 --key-file ann.key"

ACT_EXAMPLES = {
    "activate-policy": f"activate-policy {_URL} --envelope signed.json",
    "add-webhook": f"add-webhook {_URL} --deliver-to https://core.example/events --kinds payment",
    "close-day": f"close-day {_URL} --day 2026-01-31",
    "cover-commission": f"cover-commission {_URL} --amount 500.00 --currency KES"
    " --bank-reference b-4712",
    "enrol-operator": f"enrol-operator {_URL} --role care-desk",
    "erase-subject": f'erase-subject {_URL} --customer cus_... --because "asked in writing"',
    "fund-account": f"fund-account {_URL} --number +254700000001 --amount 10000.00 --currency KES"
    " --bank-reference b-4711",
    "issue-activation": f"issue-activation {_URL} --number +254700000001",
    "lift-tightening": f'lift-tightening {_URL} --entry record-in-doubt --because "mended"',
    "open-customer": f'open-customer {_URL} --name "Jane W" --msisdn +254700000001 --kind person'
    " --tier 1",
    "resume-device": f'resume-device {_URL} --device dev_... --because "found again"',
    "reverse-payment": f'reverse-payment {_URL} --order ord_... --because "sent twice"',
    "set-incentive": f"set-incentive {_URL} --ladder agents --subject cus_... --step 1"
    ' --because "trained again"',
    "shadow-policy": f"shadow-policy {_URL} --envelope signed.json",
    "suspend-device": f'suspend-device {_URL} --device dev_... --because "reported stolen"',
}
"""How each act is typed."""

_HELP = {
    "name": "Name of the customer.",
    "msisdn": "Telephone number, with plus.",
    "kind": "person, agent or merchant.",
    "tier": "Identification tier of the policy.",
    "till": "Till number of a merchant or agent.",
    "number": "Telephone or till number.",
    "amount_minor": "Amount, such as 1250.75.",
    "currency": "ISO 4217 code.",
    "bank_reference": "Reference of the money that arrived at the bank.",
    "order": "Id of the order.",
    "because": "The reason, as it will be read.",
    "device": "Id of the device.",
    "customer": "Id of the customer.",
    "envelope": "The policy file that the officers signed.",
    "role": "Role of the operator to invite; the code is made here.",
    "url": "Where events are posted.",
    "kinds": "Kind of event; say it several times.",
    "day": "The day, YYYY-MM-DD.",
    "ladder": "Id of the incentive in the policy.",
    "subject": "Agent (customer id), device trust or vendor.",
    "step": "Step to put it on; 0 is the lowest.",
    "entry": "Id of the tightening in the policy.",
    "until": "Instant until which it stays lifted; until the next version if left out.",
}
_FIXED = {"suspend-device": {"suspend": True}, "resume-device": {"suspend": False}}
_MADE_HERE = "code_hash"
_FIELD = "field_"
_PATH_OF = re.compile(r"at `\$\.([a-z_]+)")


def act_parameters(name: str, schema: type[Wire]) -> list[click.Parameter]:
    """An option for each field of the act `name` that a person fills in.

    Source: ISO/TS 12812-2:2017, 6.2.1
    """
    fixed = _FIXED.get(name, {})
    hints = get_type_hints(schema)
    given = inspect.signature(schema).parameters
    return [
        _option(field, hints[field], required=parameter.default is inspect.Parameter.empty)
        for field, parameter in given.items()
        if field not in fixed and field != _MADE_HERE
    ]


def _option(field: str, hint: Any, *, required: bool) -> click.Option:
    kind: Any = None
    if field == "envelope":
        kind = click.Path(exists=True, dir_okay=False, path_type=Path)
    elif hint is int and field != "amount_minor":
        kind = int
    return click.Option(
        [f"--{_spelled(field)}", _FIELD + field],
        required=required,
        type=kind,
        multiple=hint == tuple[str, ...],
        help=_HELP[field],
    )


def body_of(
    name: str, schema: type[Wire], given: dict[str, Any]
) -> tuple[Wire, Secret[str] | None]:
    """The body of the act out of the options, and the one-time code where the act makes one.

    Raises Malformed with the first field that does not fit.
    Source: ISO/TS 12812-2:2017, 6.2.1
    """
    plain: dict[str, Any] = dict(_FIXED.get(name, {}))
    for parameter, value in given.items():
        if parameter.startswith(_FIELD) and value is not None:
            plain[parameter.removeprefix(_FIELD)] = value
    if "amount_minor" in plain:
        amount = Money.parse(plain["amount_minor"], plain["currency"])
        plain["amount_minor"] = amount.minor
    if "envelope" in plain:
        plain["envelope"] = plain["envelope"].read_text(encoding="utf-8")
    if "kinds" in plain:
        plain["kinds"] = list(plain["kinds"])
    code = None
    if _MADE_HERE in inspect.signature(schema).parameters:
        code = one_time_code()
        plain[_MADE_HERE] = code_hash(code.reveal())
    try:
        return from_plain(plain, schema), code
    except Malformed as error:
        field = _PATH_OF.search(error.detail)
        if field is None or field[1] not in _HELP:
            raise
        raise Malformed(
            f"the value of --{_spelled(field[1])} does not fit", remedy=_HELP[field[1]]
        ) from error


def _spelled(field: str) -> str:
    """The option that stands for a field of an act."""
    return {"amount_minor": "amount", "url": "deliver-to"}.get(field, field.replace("_", "-"))
