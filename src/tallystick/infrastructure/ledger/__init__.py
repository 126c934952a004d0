"""The embedded ledger: double entry, holds, limits, reversals; pure but for its `store`.

    model    accounts, legs, limits, postings, results
    limits   rolling windows as accounts
    state    what is in memory, and what the store has not seen of it
    moves    single legs against accounts and limits
    apply    postings -> results; read it first
    chart    the accounts of a provider in one currency; issuing and redeeming money
    daybook  trial balance, day end, reconciliation
    store    its tables

Source: ISO/TS 12812-2:2017, 7.3.3; 13.1
"""
