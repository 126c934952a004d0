"""Reports that people look at: one page without a network, and the same numbers as JSON.

    model       the numbers: everything that the page shows, in one record
    gathering   from analysis, findings and policy to the numbers; read `gather` first
    page        from the numbers to one HTML text; `marks` has the words of SVG and HTML
    sourcing    where each number comes from

Each figure has a module with its numbers and its picture: standing (layers, clauses, population),
ladders, matrix, exceedance, front, tracing, course. Data goes in, text comes out; nothing here
reads a file of the provider, a clock or a network.

Source: ISO/TS 12812-2:2017, 5; 6.1; A
"""
