"""Notifications: emails that inform staff about events."""
