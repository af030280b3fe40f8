"""The same people as in the stock room."""

from tests.facility.stock.conftest import at_work, clerk, owner, pharmacist, pharmacy, stranger

__all__ = ["at_work", "clerk", "owner", "pharmacist", "pharmacy", "stranger"]
