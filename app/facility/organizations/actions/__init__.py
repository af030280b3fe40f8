"""What people can do with organizations and their people. Each is one transaction with its line in the trail."""

from app.facility.organizations.actions.opening import (
    Created,
    NewFacility,
    Opened,
    change_settings,
    create_organization,
    open_facility,
)
from app.facility.organizations.actions.parameters import set_parameter
from app.facility.organizations.actions.people import (
    Added,
    NewStaff,
    add_staff,
    disable_staff,
    enable_staff,
    end_role,
    grant_role,
    rename_staff,
    reset_password,
    reset_second_factor,
    unlock_staff,
)
from app.facility.organizations.actions.places import (
    add_terminal,
    come_on_duty,
    disable_terminal,
    end_session,
    go_to_facility,
    leave_duty,
    register_terminal,
)

__all__ = [
    "Added",
    "Created",
    "NewFacility",
    "NewStaff",
    "Opened",
    "add_staff",
    "add_terminal",
    "change_settings",
    "come_on_duty",
    "create_organization",
    "disable_staff",
    "disable_terminal",
    "enable_staff",
    "end_role",
    "end_session",
    "go_to_facility",
    "grant_role",
    "leave_duty",
    "open_facility",
    "register_terminal",
    "rename_staff",
    "reset_password",
    "reset_second_factor",
    "set_parameter",
    "unlock_staff",
]
