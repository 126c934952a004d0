"""The profile: the rows that apply to the services of this provider.

Source: OSCAL 1.2.1; ISO/TS 12812-2:2017, 10.1; 11.1; 12.1; 13.1
"""

from tallystick.process.conformance.oscal.blocks import Node, head, prop
from tallystick.process.conformance.oscal.names import control_id, uuid_of
from tallystick.process.conformance.oscal.picture import Picture


def profile(picture: Picture, catalog_href: str) -> Node:
    """The profile over the catalog at `catalog_href`.

    Source: OSCAL 1.2.1
    """
    services = [one.value for one in picture.services]
    return {
        "uuid": uuid_of("profile", picture.provider, *services),
        "metadata": head(
            picture,
            f"Requirements that apply to {picture.provider}",
            extra=[prop("service", one) for one in services],
        ),
        "imports": [
            {
                "href": catalog_href,
                "include-controls": [{"with-ids": [control_id(one.id) for one in picture.rows()]}],
            }
        ],
        "merge": {"as-is": True},
    }
