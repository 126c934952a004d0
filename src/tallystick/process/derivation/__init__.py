"""From chosen controls to a policy: every row says which risk, requirement and article it answers.

    rules       reads `rules.yaml`: which control asks for which row, values by profile
    amounts     average payments to round amounts under regimes' caps; caps that bound a loss
    wholes      sections that every policy has, with values of the profile
    derive      controls, profile and regimes to the text of a policy
    writing     trees to YAML, the same bytes for the same tree

What comes out is an ordinary policy: it is compiled, proven, signed by officers and activated like
one that a person wrote.

Source: ISO/TS 12812-2:2017, 6.1; A
"""
