"""Mechanisms both wings share: database, tenancy, clock, money, personal data, errors, web. Knows no domain, has no tables."""
