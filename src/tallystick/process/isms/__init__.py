"""The management of information security, as registers whose clocks run and whose gaps are seen.

    certificates    an evaluation, and how far it may be trusted now; `schemes` is the one scale
    seccerts        certificates out of an export of others
    model, shapes   what a register is, and what each of them looks like
    reading         the text of a register, every defect with its position
    responsibility  who answers for each requirement, and who carries it out
    training        whether somebody's training counts
    breach          legal clocks of an incident
    clocks          everything that becomes due, soonest first
    gaps            what a register lacks beyond its form
    inventory       keys and mechanisms in use, found rather than written down
    release, sbom   what must be there before a release goes out
    probes          evidence out of each register
    page            the reference page

Nothing here reads a file or a clock: texts and the time are handed in.

Source: ISO/TS 12812-2:2017, 6.2.1; 7.3.6; 9
"""
