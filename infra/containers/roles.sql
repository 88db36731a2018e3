-- The services' login, made once with the database. `florin migrate` makes the two roles too, when they are not there.
CREATE ROLE florin_app NOLOGIN;
CREATE ROLE florin_system NOLOGIN;
CREATE ROLE service LOGIN NOINHERIT PASSWORD 'service';
GRANT florin_app, florin_system TO service;
