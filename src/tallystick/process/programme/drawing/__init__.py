"""Draws a programme as a data-flow diagram: zones side by side, layers one below the other.

    placing    where each node stands
    routing    how each line runs, and where its label is
    svg        the picture as text; read `draw` first

Source: ISO/TS 12812-2:2017, 6.2; 7.1
"""
