"""Clinic 门诊: from registration to a settled visit."""
