"""Application packages as phones install them, read strictly and verified.

    APK   signature schemes 2, 3 and 3.1 verified; manifest read
    IPA   property list and code signature read, the platform's own signature not verified here

Source: ISO/TS 12812-2:2017, 7.4.4; 7.2.5
"""
