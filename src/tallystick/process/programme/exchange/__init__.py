"""Programmes to and from the files of threat-modelling tools.

    foreign     reads documents of others, whatever shape they have
    sketch      what such a document says, and where it says nothing
    writing     a sketch as an `mfs.yaml` with a mark at every open question
    otm         Open Threat Model, in both directions
    threagile   Threagile, inwards

Source: ISO/TS 12812-2:2017, 6.1; A
"""
