"""Who takes part: five municipalities in two police directorates, and somebody of every role."""

from hypothesis import strategies as st

from services.membership.domain.parties import PartyKind
from services.membership.domain.registry import Official
from shared.web.rights import Actor, Role, actor

TOWNS = [
    Official(ags=ags, name=name, kind="Stadt", district=district, nuts3="DED2", latitude=51.0, longitude=14.0)
    for ags, name, district in (
        ("14626480", "Rothenburg/O.L.", "Görlitz"),
        ("14626610", "Zittau", "Görlitz"),
        ("14625020", "Bautzen", "Bautzen"),
        ("14628270", "Pirna", "Sächsische Schweiz-Osterzgebirge"),
        ("14612000", "Dresden", "Dresden"),
    )
]
AGS = [town.ags for town in TOWNS]
DIRECTORATES = ("PD Görlitz", "PD Dresden")

LPR = actor("lpr", Role.LPR)
EVERYBODY = [
    LPR,
    actor("ministry", Role.MINISTRY),
    actor("auditor", Role.AUDITOR),
    *(actor(f"police_directorate:{name}", Role.POLICE, name) for name in DIRECTORATES),
    *(actor(f"municipality:{ags}", Role.MUNICIPALITY, ags) for ags in AGS),
]
ACTING_FOR = {who.subject: who for who in EVERYBODY}
"""By party; the auditor acts for nobody."""

somebody: st.SearchStrategy[Actor | None] = st.one_of(*[st.none()] * 3, st.sampled_from(EVERYBODY))
"""Who asks; None for whoever may."""
number = st.integers(0, 11)
"""Which one, of those that there are then."""
town = st.sampled_from([*AGS, AGS[0], AGS[0], AGS[3]])
towns = st.lists(town, min_size=1, max_size=3, unique=True)
kinds = st.lists(st.sampled_from(PartyKind), min_size=1, max_size=4, unique=True).map(tuple)
ago = st.sampled_from([0, 0, 0, 1, 3, 10, 30, -1])
"""So many days before today; -1 is tomorrow."""
