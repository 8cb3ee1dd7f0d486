-- sessions.token is the digest of the token from here on. Those that stand were kept as they were: everybody signs in again.
delete from sessions;
