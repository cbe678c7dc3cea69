-- class: control
-- params: pid int4
-- The client of a query on an exclusive connection has gone. That connection is not used again
-- before both answers are there, so that the signal can't hit anything else.
SELECT pg_cancel_backend($1)
