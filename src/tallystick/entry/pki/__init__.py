"""Certificates and time of a provider: made on the command line, answered for by the service.

    places       where what belongs to it is, in the provider's folder
    making       root, authorities, certificates, revocations and lists: with the secret at hand
    answering    what the running service answers with: lists, the responder, the stamps
    checkpoints  a time stamp over the newest checkpoint of the log, every hour
    archiving    documents that have to stay proved for years
    admitting    whose certificate is taken at the partners' door, at connect and afterwards
    partnerlists what other parties' authorities revoked, by lists in files
    listsources  where those lists are fetched from
    taking       a list that was fetched, in the place of the one before

Source: ISO/TS 12812-2:2017, 3.5; 3.23; 7.4.2
"""
