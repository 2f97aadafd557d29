"""Who did what, when, through which door. A use case that changes anything leaves a row."""

from jimm.audit.trail import Action, record

__all__ = ["Action", "record"]
