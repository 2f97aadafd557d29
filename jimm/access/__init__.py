"""Who somebody is, and what they may do.

Five words: an *identity* is ``name@domain`` (``names``); a *relation* is what a subject is to an
object, and a *level* is Juju's word for it (``rules``); a *session token* opens JIMM (``tokens``);
a *signing key* makes JIMM's tokens for controllers (``jwt``, ``keys``); a *login* is the proof of
an identity (``logins``).
"""
