"""The center wing 中心端: settles, audits and supervises the facilities of a city."""
