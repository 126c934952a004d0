"""The rows of the registry of mechanisms, by family; `crypto.registry` is how they are asked for.

Source: ISO/TS 12812-2:2017, C; ISO/TS 14742
"""

__all__: tuple[str, ...] = ()
