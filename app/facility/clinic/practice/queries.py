"""Departments, rooms and practitioners of a facility. Row-level security picks the tenant."""

from __future__ import annotations

from typing import Any

from app.facility.db import run

MOST = 200


def list_departments(facility_id: int) -> list[Any]:
    """Departments that are open."""
    return list(run("select id, code, name, caty from department where facility_id = :f and stopped_at is null order by code limit :most", f=facility_id, most=MOST))  # fmt: skip


def list_rooms(facility_id: int) -> list[Any]:
    """Consulting rooms that are open."""
    return list(run("select id, name from consulting_room where facility_id = :f and stopped_at is null order by name limit :most", f=facility_id, most=MOST))  # fmt: skip


def list_services() -> list[Any]:
    """Services of the catalog, by code, as a fee is chosen from them."""
    return list(run("select id, code, generic_name as name from product where rx_class = 'SERVICE' and state = 'active' order by code limit :most", most=MOST))  # fmt: skip


def list_practitioners(facility_id: int) -> list[Any]:
    """Who practises here, with department and rights; people without a right to prescribe as well."""
    return list(
        run(
            """
            select s.id, s.number, s.name, s.national_code, p.title, p.prescribes, p.herbs, p.antimicrobials, p.narcotics, p.eligible_from, p.eligible_until,
                p.suspended_from, p.suspended_until, p.suspended_why, p.department_id, d.name as department
            from practitioner p join staff s on s.tenant_id = p.tenant_id and s.id = p.staff_id
            join department d on d.tenant_id = p.tenant_id and d.id = p.department_id
            where p.facility_id = :f and s.disabled_at is null order by d.code, s.number limit :most
            """,
            f=facility_id,
            most=MOST,
        )
    )


def list_people(facility_id: int) -> list[Any]:
    """Everybody who works here, with what they may do when they are on the register of practice."""
    return list(
        run(
            """
            select s.id, s.number, s.name, s.national_code, p.title, p.prescribes, p.herbs, p.antimicrobials, p.narcotics, p.eligible_from, p.eligible_until,
                p.suspended_from, p.suspended_until, p.suspended_why, p.department_id, d.name as department
            from staff s
            left join practitioner p on p.tenant_id = s.tenant_id and p.staff_id = s.id and p.facility_id = :f
            left join department d on d.tenant_id = p.tenant_id and d.id = p.department_id
            where s.disabled_at is null and (p.staff_id is not null or exists (
                select from staff_role r where r.tenant_id = s.tenant_id and r.staff_id = s.id and r.facility_id = :f))
            order by p.staff_id is null, d.code, s.number limit :most
            """,
            f=facility_id,
            most=MOST,
        )
    )
