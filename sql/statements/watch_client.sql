-- class: slow
-- params:
-- Runs once on each connection of this class when it joins: from now on the backend looks twice a
-- second whether this server is still there, even in the middle of a long wait. Without it a backend
-- whose front end was killed would sleep on. (A version of PostgreSQL without the setting: no row.)
SELECT set_config('client_connection_check_interval', '500', false)
 WHERE current_setting('client_connection_check_interval', true) IS NOT NULL
