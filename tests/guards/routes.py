"""What the guards of addresses know: doors that ask for nobody, and who is who."""

import io
import zipfile

# Views that no role guards, and why.
PUBLIC = {
    "door.sign_in": "the door itself",
    "door.second": "the door itself: a half-open session",
    "door.enrol": "the door itself: a half-open session",
    "door.change": "the door itself: a half-open session",
    "door.describe_code": "names the public designation of an institution to whoever signs in there",
    "door.sign_out": "leaving needs nobody's leave",
    "shell.choose_language": "the door speaks two languages",
    "static": "our own files",
    "clinic_wall.show": "a screen in the waiting room: its address is signed and may be taken back; masked names only",
    "ecert.list_people": "the demo page of e-certificates; absent without SUNMED_DEMO",
    "ecert.issue": "the demo page of e-certificates; absent without SUNMED_DEMO",
}
# Blueprints that check signatures themselves, and why.
MACHINES = {"interface": "national messages, signed by institutions", "bridge": "facts, signed by institutions"}
# Views for whoever is signed in, in any role, and why.
ANYBODY = {
    "shell.home": "sends each to their first room",
    "account.show": "one's own account",
    "account.password": "one's own password",
    "account.second_factor": "one's own second factor",
    "account.leave_second_factor": "one's own second factor",
    "organizations.go_to": "only to facilities where the person has a role",
}
# A GET that changes something would slip past the form token.
CHANGING_GETS = {
    "organizations.go_to": "moves one's own session; refuses other sites by Sec-Fetch-Site",
    "shell.choose_language": "a cookie of one's own taste",
}


def rules_of(app):
    """The rules of an application in a steady order."""
    return sorted(app.url_map.iter_rules(), key=lambda rule: (rule.rule, rule.endpoint, sorted(rule.methods)))


def methods(rule):
    return sorted(rule.methods & {"GET", "POST", "PUT", "PATCH", "DELETE"})


def is_for_machines(app, rule) -> bool:
    blueprint = app.blueprints.get(rule.endpoint.rpartition(".")[0])
    return getattr(blueprint, "is_for_machines", False)


def named(rule) -> str:
    return f"{'/'.join(methods(rule))} {rule.rule} ({rule.endpoint})"


def said(answer):
    """Everything an answer says as text; of an Excel file, what stands in all its parts."""
    body = answer.get_data()
    if body.startswith(b"PK") and zipfile.is_zipfile(io.BytesIO(body)):
        with zipfile.ZipFile(io.BytesIO(body)) as file:
            return "\n".join(file.read(name).decode(errors="replace") for name in file.namelist())
    return body.decode(errors="replace")
