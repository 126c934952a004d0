"""Annex A made to run: from the programme to the cheapest set of controls that is enough.

    model       the types; read `ThreatRule`, `Control`, `AttackPath`, `Selection` in this order
    packs       texts to tables, controls and rules; `reading` has its parts
    conditions  what a rule may look at; `matching` finds where it holds
    ways        the search through a tree, weakest first; `paths` and `verdicts` use it
    rating      points, strength, likelihood, band, profile
    selection   the cheapest set of controls that is enough, and why
    residual    inherent, designed, observed; `findings` says what is open
    losses      what a year may cost
    analysis    all of it in one call; start here

The numbers of an attack potential are ordinal: they rank attacks, they do not measure them. Every
table, threat rule and control is data in `packs/`, named by the hash of its text.

Source: ISO/TS 12812-2:2017, 3.3; 6.1; A; ISO/IEC 18045, B.4
"""
