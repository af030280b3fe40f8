"""Sunmed 阳光诊药: two wings, the facility and the center, and the language both speak."""
