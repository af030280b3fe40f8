"""Migrations of the two wings' databases. They import nothing from app/."""
