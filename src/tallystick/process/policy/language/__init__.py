"""The language of policies: typed YAML with one meaning, and a position in every error.

    nodes     text -> tree of values with positions (YAML 1.2, nothing implicit)
    section   typed access to the tree that collects what is wrong
    reading   tree -> `Policy`
    rows      the decision table and its conditions
    boxes     sets of facts as products of words and bounds, to subtract from each other
    checks    what no single line shows: rows never reached, limits that never bind or are missing

Source: ISO/TS 12812-2:2017, 6.1
"""
