"""Notifications: staff are told what happened without asking."""
