"""The programme file: the facts about one service on which its risk analysis rests.

    words       the closed vocabularies
    model       the types; read `Programme` first

Source: ISO/TS 12812-2:2017, 6.1; A
"""
