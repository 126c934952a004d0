"""From programme, pack, analysis and catalogue to a profile.

    threats      rules of the pack that match, countered by the chosen controls on their paths
    rules        rows that are mandatory whatever the risk, and the regimes that bind
    assumptions  parties that carry out part of it, environments of telephones, regimes
    objectives   the chosen controls, and one for each assumption

Source: ISO/IEC 15408-1, B; ISO/TS 12812-2:2017, 6.1; A
"""

from collections.abc import Iterator

from tallystick.process.catalogue.model import Catalogue, Layer, Requirement
from tallystick.process.conformance.oscal.picture import rows_for
from tallystick.process.programme.model import Programme
from tallystick.process.protection.model import (
    AskedRow,
    Assumed,
    FacedThreat,
    KeptRule,
    Objective,
    ProtectedAsset,
    ProtectionProfile,
    ThreatAgent,
)
from tallystick.process.risk.analysis import Analysis
from tallystick.process.risk.model import Pack, ThreatRule
from tallystick.process.risk.reading.rules import steps_of


def protection_profile(
    programme: Programme, pack: Pack, analysis: Analysis, found: Catalogue
) -> ProtectionProfile:
    """The profile of `programme`, with the controls that `analysis` chose as its objectives.

    Source: ISO/IEC 15408-1, B
    """
    chosen = tuple(one.control for one in analysis.selection.chosen)
    assumptions = tuple(_assumptions(programme))
    objectives = (
        *_objectives(pack, chosen, found, programme),
        *(
            Objective(id=one.objective, says=one.says, of_service=False, requirements=())
            for one in assumptions
        ),
    )
    asked = {row for one in objectives for row in one.requirements}
    rows = rows_for(found, programme.services)
    return ProtectionProfile(
        programme=programme.offer.id,
        owner=programme.offer.owner,
        programme_digest=analysis.programme_digest,
        pack=pack.id,
        pack_digest=pack.digest,
        services=tuple(one.value for one in programme.services),
        parts=tuple(f"{one.id} ({one.kind.value})" for one in programme.nodes.values()),
        devices=tuple(f"{one.id} ({one.os})" for one in programme.devices.values()),
        assets=tuple(_assets(programme)),
        agents=tuple(_agents(programme)),
        threats=tuple(_threats(pack, analysis, frozenset(chosen))),
        rules=tuple(_rules(programme, pack, frozenset(chosen), found)),
        assumptions=assumptions,
        objectives=objectives,
        requirements=tuple(_asked(one) for one in rows if one.id in asked),
        rows=len(rows),
    )


def _assets(programme: Programme) -> Iterator[ProtectedAsset]:
    for one in programme.assets.values():
        yield ProtectedAsset(
            id=one.id,
            kind=one.kind.value,
            confidentiality=one.confidentiality,
            integrity=one.integrity,
            availability=one.availability,
            kept_at=one.kept_at,
            personal=one.personal,
        )


def _agents(programme: Programme) -> Iterator[ThreatAgent]:
    for one in programme.actors.values():
        yield ThreatAgent(
            id=one.id,
            motivation=one.motivation.value,
            expertise=one.expertise.value,
            knowledge=one.knowledge.value,
            equipment=one.equipment.value,
        )


def _threats(pack: Pack, analysis: Analysis, chosen: frozenset[str]) -> Iterator[FacedThreat]:
    stood = {one.instance: one for one in analysis.standings}
    for rule in pack.rules.values():
        places = [one for one in analysis.instances if one.rule == rule.id]
        if not places:
            continue
        designed = [stood[one.id].designed for one in places]
        yield FacedThreat(
            id=f"T.{rule.id}",
            catalogued=rule.threat,
            says=rule.label,
            assets=tuple(sorted({one.asset for one in places})),
            places=len(places),
            enough=sum(one is not None and one.gap <= 0 for one in designed),
            unserved=sum(one is None for one in designed),
            required=max(one.required for one in places).name.lower().replace("_", "-"),
            objectives=tuple(_name(pack, one) for one in sorted(_countering(rule) & chosen)),
        )


def _countering(rule: ThreatRule) -> set[str]:
    return {use.control for step in steps_of(rule.tree) for use in step.controls}


def _name(pack: Pack, control: str) -> str:
    around = pack.controls[control].layer is Layer.PROCESS
    return f"{'OE' if around else 'O'}.{control}"


def _rules(
    programme: Programme, pack: Pack, chosen: frozenset[str], found: Catalogue
) -> Iterator[KeptRule]:
    offered = {one.id for one in rows_for(found, programme.services)}
    mandatory: dict[str, set[str]] = {}
    for control in pack.controls.values():
        for row in control.mandatory:
            mandatory.setdefault(row, set())
            if control.id in chosen:
                mandatory[row].add(_name(pack, control.id))
    for kept in found.requirements.values():
        if kept.id in mandatory and kept.id in offered:
            objectives = tuple(sorted(mandatory[kept.id]))
            yield KeptRule(id=f"P.{kept.id}", says=kept.text, objectives=objectives)
    for place in programme.jurisdictions.values():
        for regime in place.regimes:
            yield KeptRule(
                id=f"P.{place.country}.{regime}",
                says=f"In {place.country} the regime {regime} binds.",
                objectives=(f"OE.REGIME.{place.country}.{regime}",),
            )


def _assumptions(programme: Programme) -> Iterator[Assumed]:
    for party in programme.parties.values():
        if party.delegated:
            what = ", ".join(party.delegated)
            yield _assumed(
                f"PARTY.{party.id}",
                f"{party.id} ({party.role.value}) carries out {what} as the contract"
                f" {party.contract or 'that is to be made'} says.",
            )
    for device in programme.devices.values():
        kept = programme.secure_envs.get(device.secure_env)
        if kept is not None:
            hardened = f", with {', '.join(kept.hardening)}" if kept.hardening else ""
            yield _assumed(
                f"DEVICE.{device.id}",
                f"Telephones of the class {device.id} keep keys in {kept.kind.value}{hardened}.",
            )
    for place in programme.jurisdictions.values():
        for regime in place.regimes:
            yield _assumed(
                f"REGIME.{place.country}.{regime}",
                f"What {regime} asks beyond the rows below is kept by the organisation.",
            )


def _assumed(name: str, says: str) -> Assumed:
    return Assumed(id=f"A.{name}", says=says, objective=f"OE.{name}")


def _objectives(
    pack: Pack, chosen: tuple[str, ...], found: Catalogue, programme: Programme
) -> Iterator[Objective]:
    offered = {one.id for one in rows_for(found, programme.services)}
    for name in sorted(chosen):
        control = pack.controls[name]
        rows = sorted({*control.requirements, *control.mandatory} & offered)
        yield Objective(
            id=_name(pack, name),
            says=control.label,
            of_service=control.layer is not Layer.PROCESS,
            requirements=tuple(rows),
        )


def _asked(row: Requirement) -> AskedRow:
    return AskedRow(
        id=row.id,
        modality=row.modality.value,
        says=row.text,
        verified=tuple(f"{one.by.value}: {one.check}" for one in row.verification),
    )
