"""Annex A made to run: from the programme to the cheapest set of controls that is enough.

    model       the types; read `ThreatRule`, `Control`, `AttackPath`, `Selection` in this order

The numbers of an attack potential are ordinal: they rank attacks, they do not measure them. Every
table, threat rule and control is data in `packs/`, named by the hash of its text.

Source: ISO/TS 12812-2:2017, 3.3; 6.1; A; ISO/IEC 18045, B.4
"""
