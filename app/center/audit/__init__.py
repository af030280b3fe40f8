"""Intelligent audit (智能审核). Today: the identity score of a person at a counter; knowledge and rules come after."""
