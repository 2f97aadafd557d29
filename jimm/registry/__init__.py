"""What JIMM remembers, all of it in Postgres.

Five words: a *row* is a table's (``tables``); a *record* is the frozen value that a query
gives; a *session* is one transaction, for reading or for writing (``session``); a *lease* says
who works on a row until when, its *fence* rises with each claim and guards what is written
(``leases``); what is *sealed* can be read with the key only (``crypto``).
"""
