"""Vendors' lists: where they come from, how they are fetched and read, and what is told of them.

    sources    FOLDER/vendors.json: address, period and longest age of each list
    fetching   one conditional request, bounded in size and time
    reading    octets to what a list says, by the reader of its kind
    byhand     the files that a person puts into the folder instead
    comparing  the vendor's roots against those of the policy of appraisal
    rounds     who is asked when, one request a source
    proxy      the proxy that is declared for lists, if any

The duties that take over what came and say what fails are `entry/feeding.py` for vendors' lists and
`entry/partnerfeeding.py` for those of partners' authorities.

Source: RFC 9334, 7.4; ISO/TS 12812-2:2017, 6.2.3; 7.2.6
"""
