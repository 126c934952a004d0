"""The shapes of AWS Payment Cryptography that the compatible door speaks, field by field.

`words` holds the closed lists, `control` keys and aliases, `exchange` keys that come in and leave,
`data` what is done with them. Names on
the wire are those of the published service model; what is not here is refused, not ignored.

Source: AWS Payment Cryptography API, 2022-02-03
"""
