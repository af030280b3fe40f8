"""Whoever runs the product signs up an organization and the center's first administrator."""

from __future__ import annotations

from app.center.registry import officer_cli
from app.facility.organizations import cli
from tests.factories import people


def test_an_organization_is_signed_up_once(facility_app):
    code = people.make_code()
    runner = facility_app.test_cli_runner()
    command = ["create", code, "新药店", "--district", "330212", "--district-name", "鄞州区", "--owner", "张店长"]

    first, second = (runner.invoke(cli.commands, command) for _ in range(2))

    assert first.exit_code == 0, first.output
    assert "one-time password" in first.output
    assert second.exit_code == 1
    assert code in second.output
    tenant = first.output.partition("tenant ")[2].partition(",")[0]
    assert "one-time password" in runner.invoke(cli.commands, ["reset-owner", tenant, "001"]).output
    assert runner.invoke(cli.commands, ["reset-owner", tenant, "999"]).exit_code == 1


def test_the_first_administrator_of_a_center(center_app):
    number = f"g{people._letters(7)}"
    runner = center_app.test_cli_runner()

    assert "one-time password" in runner.invoke(officer_cli.commands, ["add", "3305", number, "首位管理员"]).output
    assert runner.invoke(officer_cli.commands, ["add", "3305", number, "重复"]).exit_code == 1
    assert runner.invoke(officer_cli.commands, ["reset-second-factor", "3305", number]).exit_code == 0
    assert runner.invoke(officer_cli.commands, ["reset-second-factor", "3305", "nobody"]).exit_code == 1
