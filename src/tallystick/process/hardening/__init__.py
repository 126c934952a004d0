"""What hardens an app, control by control: what the SDK does, what others must do.

    controls.yaml    who does what for each control of MASVS 2.1, in our words
    checklist        joined with the rows of the catalogue; as data and as a page

Of MASVS there are identifiers only: its text is under a licence of its own.

Source: ISO/TS 12812-2:2017, 7.2.2; 7.2.5; 9.3
"""
