"""The theory as a story: stations with numbers, claims about them, and pictures for the report to draw.

One module a station: a function ``visit_...`` from arrays to a frozen result that holds its own checks.
"""

from choicekit.tour.claims import Claim, Published, Station
from choicekit.tour.plan import STATIONS, TourPlan
from choicekit.tour.tour import Tour, run_tour

__all__ = ["STATIONS", "Claim", "Published", "Station", "Tour", "TourPlan", "run_tour"]
