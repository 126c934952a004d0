"""What measures and proposals of tightenings rest on: signatures, counts over the record, a table.

    sealing    the service signs a measure; officers sign what is beyond its caps
    recorded   whom a step would touch, from the orders and customers of the store
    proposals  what waits for two officers, and until when
    store      their table, and the query of what customers paid

Source: ISO/TS 12812-2:2017, 6.1; 6.2.1; 7.3.3
"""
