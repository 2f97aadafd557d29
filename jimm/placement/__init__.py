"""Which controller gets a new model. Pure: values in, values out.

A *request* says what is wanted; a *candidate* is a registered controller as it stands; a
*policy* puts the eligible ones in an order; a *decision* is that order with the reasons of
every candidate, chosen or not, so that it can be recorded and asked for beforehand.
"""

from jimm.placement.candidates import Candidate, Request
from jimm.placement.decision import Decision, Ranked, Refused, decide
from jimm.placement.policies import POLICIES, Policy

__all__ = ["POLICIES", "Candidate", "Decision", "Policy", "Ranked", "Refused", "Request", "decide"]
