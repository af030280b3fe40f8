"""Organizations 机构: tenants, their facilities, staff and roles, terminals, duty of pharmacists, the audit trail.

Promises: who is disabled is out at once; nobody administers two of system, security and audit; a pharmacist is on duty
only between coming and leaving; nothing in the trail is ever changed.
"""
