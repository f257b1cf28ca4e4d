# SPDX-License-Identifier: Apache-2.0
"""A state and a county that share templates."""

from web.demo.agencies import Sign
from web.demo.story import Person, Place

CASCADIA = Sign("cascadia", "State of Cascadia", "Cascadia Commons")
HARBOR = Sign("harbor", "Harbor County Health Department", "Harbor Health Commons")
JUNE = Person("cascadia/june", "June Park", "data architect", admin=True)
OMAR = Person("harbor/omar", "Omar Haddad", "health informatics lead", admin=True)
SHARED_DATA = Place(
    "cascadia/shared_data",
    "Shared data",
    "Templates and agreements for registers that several agencies use.",
    "public",
    (OMAR.key,),
)
NEIGHBOURS = (CASCADIA, HARBOR)
