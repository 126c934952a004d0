"""Is the evidence of a device good enough? Evidence and a policy come to a verdict.

    model        the policy of appraisal, and the verdict
    reading      the policy out of a text that people write
    rules        one function a rule; each refusal names its rule
    appraisal    all rules over one case; the verdict as a canonical record that can be replayed
    packs/       the policy that comes with the product

Source: RFC 9334, 3; 8.3; ISO/TS 12812-2:2017, 7.2.6; 7.4.1
"""
