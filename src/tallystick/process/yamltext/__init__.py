"""Reads YAML 1.2 that people write and sign; every value keeps its line and column.

    position    where something stands
    tree        text to a tree; whatever has two readings is refused
    section     typed access to a mapping; every defect is collected, with the nearest known word
    quantities  shares, money, days and estimates in a section

The policy, the programme file, the registers, the data packs and an overlay are read with it.

Source: YAML 1.2.2, 3.2; ISO/TS 12812-2:2017, 6.1
"""
