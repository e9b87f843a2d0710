"""Mechanisms every service needs and no service owns."""
