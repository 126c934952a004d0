"""Vendors' lists: where they come from, how they are fetched and read, and what is told of them.

    sources    FOLDER/vendors.json: address, period and longest age of each list
    fetching   one conditional request, bounded in size and time
    reading    octets to what a list says, by the reader of its kind
    byhand     the files that a person puts into the folder instead
    comparing  the vendor's roots against those of the policy of appraisal

The duty that fetches what is due, takes it over and says what fails is `entry/feeding.py`.

Source: RFC 9334, 7.4; ISO/TS 12812-2:2017, 6.2.3; 7.2.6
"""
