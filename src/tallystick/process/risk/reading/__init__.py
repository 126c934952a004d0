"""From the texts of a pack to its tables, controls and rules.

    words       the closed vocabularies of a pack, and reading of optional parts
    tables      scoring tables and what each impact asks for
    controls    controls, with what they need and exclude
    rules       threat rules: where they arise, and their trees of steps

Source: ISO/TS 12812-2:2017, A
"""
