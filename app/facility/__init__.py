"""The facility wing 机构端: what a pharmacy or clinic works with all day."""
