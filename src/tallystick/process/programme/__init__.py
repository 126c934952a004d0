"""The programme file: the facts about one service on which its risk analysis rests.

    words         the closed vocabularies
    model         the types; read `Programme` first
    reading       text to `Programme`, with people, system, entries and places
    checks        what is odd about a programme that reads well
    gate          whether the service may start
    organisation  operators' roles out of duties, and duties that do not go together
    decisions     decisions about the programme: read, signed, verified
    templates     whole programmes to start from, in profiles/
    summary       a programme in a few lines
    drawing       the data-flow diagram
    exchange      to and from other tools

Source: ISO/TS 12812-2:2017, 6.1; A
"""
